import Glibc
import JSON
import PricingClient
import PricingProtocol

/// Calls of the operator's, and where their results go.
extension Shell {
    /// - Parameter deed: what the call was made of. Its limit is for a screen, and what it leaves out of a list goes nowhere.
    func call(
        _ method: String,
        _ parameters: JSONObject,
        into target: Redirection.Target?,
        of deed: Deed? = nil
    ) async -> Next {
        let clock = ContinuousClock()
        let start = clock.now
        if let writer = rowWriter(for: method, parameters, target) {
            var whole = parameters
            if deed != nil { whole["limit"] = nil }
            return await export(method, whole, through: writer, into: target, keeping: deed?.filter)
        }
        do throws(CallFailure) {
            var result = try await session.carry(method, parameters)
            if let filter = deed?.filter, deed?.word == .find {
                result["items"] = .array((result["items"]?.array ?? []).filter { DeedView.kept($0, by: filter) })
            }
            let elapsed = start.duration(to: clock.now)
            guard write(renderer(of: method, target).render(result), to: target) else { return .stop }
            if isTimed { tell(TimingText.line(elapsed: elapsed, result: result)) }
            return .goOn
        } catch {
            return report(error)
        }
    }

    func exchange(_ line: String) async -> Next {
        do throws(CallFailure) {
            guard let reply = try await RawExchange(line: line).run(socket: session.socket) else { return .goOn }
            let isError = RawExchange.isError(reply)
            if isError { note(.callFailed) }
            return show(reply + "\n") && (!isError || isInteractive || goesOn) ? .goOn : .stop
        } catch {
            return report(error)
        }
    }

    /// The renderer of a method's results on the screen, or as they go to `target`.
    func renderer(of method: String, _ target: Redirection.Target? = nil) -> ResultRenderer {
        let known = session.catalogue[method]
        return ResultRenderer(
            format: format(for: target),
            expansion: expansion,
            width: target == nil ? console.width : nil,
            columns: known?.columns,
            allColumns: known?.listed,
            kinds: known?.kinds ?? [:],
            times: deeds.times
        )
    }

    private func format(for target: Redirection.Target?) -> OutputFormat {
        switch target {
        case .file(let path): Redirection.format(ofFile: path) ?? format
        case .format(let wanted): wanted
        case nil: format
        }
    }

    /// False when it could not be written; that is told, but for a reader that is gone.
    private func write(_ text: String, to target: Redirection.Target?) -> Bool {
        guard case .file(let path)? = target else { return show(text) }
        guard var file = OutputFile(path: path), file.write(text), file.end() else { return unwritable(path) }
        tell("\(path): written")
        return true
    }

    private func unwritable(_ path: String) -> Bool {
        let reason = unsafe String(cString: strerror(errno))
        _ = fail("error: \(path): \(reason)")
        return isInteractive
    }
}

// MARK: lists to their end

extension Shell {
    /// Lists go whole into formats of rows and into files; nil for anything else, and where the operator turns the pages.
    private func rowWriter(
        for method: String,
        _ parameters: JSONObject,
        _ target: Redirection.Target?
    ) -> RowWriter? {
        let wanted = format(for: target)
        var isWhole = RowWriter.formats.contains(wanted)
        if case .file? = target, wanted == .json || wanted == .md { isWhole = true }
        guard isWhole, session.catalogue.isPaged(method), parameters["cursor"] == nil else { return nil }
        return RowWriter(format: wanted, item: session.catalogue[method]?.result.property("items")?.items)
    }

    private func export(
        _ method: String,
        _ parameters: JSONObject,
        through writer: RowWriter,
        into target: Redirection.Target?,
        keeping filter: String?
    ) async -> Next {
        guard case .file(let path)? = target else {
            return await pages(of: method, parameters, through: writer, as: nil, keeping: filter) { self.show($0) }
        }
        guard var file = OutputFile(path: path) else { return unwritable(path) ? .goOn : .stop }
        let failed = failures
        let next = await pages(of: method, parameters, through: writer, as: path, keeping: filter) { file.write($0) }
        guard failures == failed else { return next }
        return file.end() || unwritable(path) ? next : .stop
    }

    /// Fetches page after page, a page at a time in memory, and says at the end how much it was.
    private func pages(
        of method: String,
        _ parameters: JSONObject,
        through writer: RowWriter,
        as name: String?,
        keeping filter: String?,
        _ write: (String) -> Bool
    ) async -> Next {
        var writer = writer
        var asked = parameters
        let wanted = parameters["limit"]?.integer
        let clock = ContinuousClock()
        let start = clock.now
        var isMore = true
        while isMore {
            let rest = wanted.map { $0 - Int64(writer.rows) } ?? .max
            if rest <= 0, writer.pages > 0 { break }
            asked["limit"] = .integer(min(rest, CallLimit.pageRows.value))
            let page: JSONObject
            do throws(CallFailure) {
                page = try await session.carry(method, asked)
            } catch {
                if writer.rows > 0 { tell("incomplete: only \(writer.rows) rows were written") }
                return report(error)
            }
            let items = (page["items"]?.array ?? []).filter { DeedView.kept($0, by: filter) }
            guard write(writer.text(of: items)) else { return .stop }
            let cursor = page["nextCursor"] ?? .null
            isMore = !cursor.isNull
            asked["cursor"] = cursor
        }
        guard write(writer.end) else { return .stop }
        for column in writer.leftOut.sorted() { tell("\(column) came after the first page and has no column") }
        let pages = writer.pages == 1 ? "1 page" : "\(writer.pages) pages"
        let extent = isMore ? "more are there" : "complete"
        let rows = writer.rows == 1 ? "1 row" : "\(writer.rows) rows"
        tell(
            (name.map { "\($0): " } ?? "")
                + "\(rows), \(pages), \(extent) · \(Link.milliseconds(start.duration(to: clock.now)))"
        )
        return .goOn
    }
}
