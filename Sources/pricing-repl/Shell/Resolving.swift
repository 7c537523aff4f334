import JSON
import JSONRPC
import RPCTransport

/// What came of looking for a thing.
enum Finding<Value> {
    case found(Value)
    /// It was not found, or not chosen; the operator knows.
    case none(Shell.Next)
}

/// References become ids: the server resolves them; what is not plain is asked, and in a script never guessed.
extension Shell {
    /// As many as a person chooses among.
    private static let candidatesMax: Int64 = 9

    func find(_ reference: Reference, of deed: Deed) async -> Finding<Named> {
        let kind = reference.kinds.first ?? .product
        switch reference.what {
        case .number(let id): return await labelled(Named(kind: reference.numberKind, id: id))
        case .row(let row):
            guard deeds.rows.indices.contains(row - 1) else {
                return mistaken("the last table has no row \(row)", reference)
            }
            return echoed(deeds.rows[row - 1])
        case .last:
            guard let last = deeds.last else { return mistaken("nothing was named yet", reference) }
            return echoed(last)
        case .text(let text): return await search(text, reference, kind)
        }
    }

    private func search(_ text: String, _ reference: Reference, _ kind: Reference.Kind) async -> Finding<Named> {
        var matches: [Named] = []
        var candidates: [Named] = []
        for kind in reference.kinds {
            let parameters = Self.question(text, kind)
            let reading = await interrupts.cancelling { [session] in await session.result("server.resolve", parameters)
            }
            guard case .success(let reply) = reading else { return .none(failed(reading)) }
            if let match = Self.named(reply["match"], kind) { matches.append(match) }
            candidates += (reply["candidates"]?.array ?? []).compactMap { Self.named($0, kind) }
        }
        if matches.count == 1 { return echoed(matches[0]) }
        if matches.isEmpty, candidates.count == 1 { return echoed(candidates[0]) }
        let kinds = reference.kinds.map(\.rawValue).joined(separator: " or ")
        guard !candidates.isEmpty else { return mistaken("no \(kinds) is called \"\(text)\"", reference) }
        let isMore = candidates.count > Self.candidatesMax
        let shown = Array(candidates.prefix(Int(Self.candidatesMax)))
        guard let ask = deeds.ask else {
            let count = isMore ? "more than \(Self.candidatesMax)" : "\(candidates.count)"
            let finding = mistaken("\"\(text)\" is \(count) \(Self.plural(kind)); name one", reference)
            console.warn(Self.list(shown, console.width))
            return finding
        }
        console.complain("which \(text)?")
        console.warn(Self.list(shown, console.width) + (isMore ? "   … and more: type on\n" : ""))
        let answer = await ask("1…\(shown.count)? ")?.split(whereSeparator: \.isWhitespace).first
        guard let answer, let number = Int(answer), shown.indices.contains(number - 1) else {
            console.complain("nothing was done")
            return .none(.goOn)
        }
        return echoed(shown[number - 1])
    }

    private static func question(_ text: String, _ kind: Reference.Kind) -> JSONObject {
        ["kind": .string(kind.rawValue), "text": .string(text), "limit": .integer(candidatesMax + 1)]
    }

    /// What is named where no question is needed to know it; nil else.
    func plain(_ reference: Reference, _ client: RPCClient) async -> Named? {
        switch reference.what {
        case .number(let id): return Named(kind: reference.numberKind, id: id)
        case .row(let row): return deeds.rows.indices.contains(row - 1) ? deeds.rows[row - 1] : nil
        case .last: return deeds.last
        case .text(let text):
            guard let kind = reference.kinds.first,
                let reply = try? await client.call("server.resolve", Self.question(text, kind))
            else { return nil }
            let candidates = reply["candidates"]?.array ?? []
            return Self.named(reply["match"] ?? (candidates.count == 1 ? candidates.first : nil), kind)
        }
    }

    /// A number needs no search; its name is asked for the receipt alone.
    private func labelled(_ thing: Named) async -> Finding<Named> {
        let parameters: JSONObject = ["kind": .string(thing.kind.rawValue), "text": .string("\(thing.id)"), "limit": 1]
        let reading = await interrupts.cancelling { [session] in await session.result("server.resolve", parameters) }
        switch reading {
        case .success(let reply):
            let match = Self.named(reply["match"], thing.kind)
            return .found(match?.id == thing.id ? match ?? thing : thing)
        case .failure(.refused): return .found(thing)
        case .failure(let failure): return .none(report(failure))
        }
    }

    private func echoed(_ thing: Named) -> Finding<Named> {
        aside("→ \(thing.text)")
        return .found(thing)
    }

    private func mistaken(_ text: String, _ reference: Reference) -> Finding<Named> {
        mark(reference.range)
        return .none(refuse(text))
    }

    private static func named(_ value: JSONValue?, _ kind: Reference.Kind) -> Named? {
        guard let value, let id = value["id"]?.integer else { return nil }
        return Named(kind: kind, id: id, label: value["label"]?.string ?? "", detail: value["detail"]?.string ?? "")
    }

    private static func list(_ candidates: [Named], _ width: Int?) -> String {
        ShownTable(
            columns: [
                .init(title: "", isRight: true), .init(title: "", mayBeCut: true), .init(title: "", mayBeCut: true),
            ],
            rows: candidates.enumerated().map { ["\($0.offset + 1)", $0.element.text, $0.element.detail] }
        ).render(width: width, palette: .plain)
    }

    private static func plural(_ kind: Reference.Kind) -> String {
        kind == .category ? "categories" : kind.rawValue + "s"
    }
}
