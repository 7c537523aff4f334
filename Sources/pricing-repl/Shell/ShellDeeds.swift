import JSON
import JSONRPC

/// A deed whose things are known: a call.
struct KnownDeed {
    var deed: Deed
    var things: [Named]
    var method: String
    var parameters: JSONObject

    /// Of the products that it names.
    var titles: [Int64: String] {
        things.reduce(into: [:]) { if $1.kind == .product, !$1.label.isEmpty { $0[$1.id] = $1.label } }
    }
}

/// What a look gave: the result, and its text for people.
struct Reading {
    var result: JSONObject
    var text: String
    /// What `watch` names itself, as it is shown in one place.
    var table: WatchTable?
}

/// Deeds: what is named is found, what would move much is asked, and what came of it is said for people.
extension Shell {
    var view: DeedView { DeedView(width: console.width, palette: deeds.palette, times: deeds.times) }

    func perform(_ deed: Deed, into target: Redirection.Target? = nil) async -> Next {
        let call: KnownDeed
        switch await known(deed) {
        case .found(let found): call = found
        case .none(let next): return next
        }
        if session.catalogue[call.method]?.isWrite == true { return await write(call) }
        guard !deed.isAttempt else { return refuse("\(deed.word) changes nothing: there is nothing to try") }
        if target != nil {
            return await interrupts.cancelling(left: .goOn) {
                await self.call(call.method, call.parameters, into: target, of: call.deed)
            }
        }
        return await interrupts.cancelling(left: .goOn) {
            do throws(CallFailure) {
                return self.show(try await self.reading(call).text) ? .goOn : .stop
            } catch {
                return self.report(error)
            }
        }
    }

    /// The call that a deed is: what it names is found, and told.
    func known(_ deed: Deed) async -> Finding<KnownDeed> {
        var deed = deed
        var things: [Named] = []
        for slot in deed.slots {
            switch await find(slot.reference, of: deed) {
            case .found(let thing): things.append(thing)
            case .none(let next): return .none(next)
            }
        }
        if let first = things.first { deeds.last = first }
        for echo in deed.echoes { aside("→ \(echo)") }
        if deed.takesLastChange {
            switch await lastChange(of: things) {
            case .success(nil): return .none(refuse("\(things.first?.text ?? ""): its price has not moved"))
            case .success(let id?): deed.parameters["priceChangeIds"] = [.integer(id)]
            case .failure(let failure): return .none(report(failure))
            }
            things = []
        }
        let (method, parameters) = deed.call(things)
        lastCall = (method, parameters)
        if let failure = await learn(.method(method)) { return .none(report(failure)) }
        return .found(KnownDeed(deed: deed, things: things, method: method, parameters: parameters))
    }

    // MARK: reading

    /// - Parameter isPatient: whether a lost daemon is waited for.
    func reading(_ call: KnownDeed, isPatient: Bool = true) async throws(CallFailure) -> Reading {
        let clock = ContinuousClock()
        let start = clock.now
        var result: JSONObject
        if isPatient {
            result = try await session.carry(call.method, call.parameters)
        } else {
            result = try await session.call(call.method, call.parameters)
        }
        if call.method == "product.list" {
            result = try await filled(result, call)
            deeds.rows = (result["items"]?.array ?? []).compactMap { item in
                item["productId"]?.integer.map { Named(kind: .product, id: $0, label: DeedView.text(item["title"])) }
            }
        }
        // In a frame that is drawn again and again it would be the one thing that always changes.
        let elapsed = isPatient ? clock.now - start : nil
        return Reading(result: result, text: try await text(of: result, call, elapsed))
    }

    private func text(
        of result: JSONObject,
        _ call: KnownDeed,
        _ elapsed: Duration?
    ) async throws(CallFailure) -> String {
        let plain = renderer(of: call.method).render(result)
        guard format == .table else { return plain }
        let items = result["items"]?.array ?? []
        switch call.deed.word {
        case _ where call.method == "product.list":
            return view.products(items, hasMore: result["nextCursor"]?.string != nil, elapsed: elapsed)
        case .show where call.method == "product.get": return view.product(result)
        case .show: return (view.prose(call.things.first, result) ?? "") + plain
        case .why: return try await why(result, call)
        case .history: return view.history(call.things.first?.text ?? "", items)
        case .plot: return plotted(call.deed, result)
        case .who where call.method == "rule.list": return view.versions(items)
        case .who: return view.trail(items)
        case .tail:
            return "told here · events.unsubscribe subscription=\(DeedView.text(result["subscription"])) ends it\n"
        default: return plain
        }
    }

    /// The first page and, where a filter drops rows, so many more that there is something to see.
    private func filled(_ first: JSONObject, _ call: KnownDeed) async throws(CallFailure) -> JSONObject {
        guard call.deed.filter != nil else { return first }
        var result = first
        var kept: [JSONValue] = []
        while true {
            kept += (result["items"]?.array ?? []).filter { DeedView.kept($0, by: call.deed.filter) }
            guard let cursor = result["nextCursor"]?.string, kept.count < 500 else { break }
            var next = call.parameters
            next["cursor"] = .string(cursor)
            result = try await session.call(call.method, next)
        }
        result["items"] = .array(kept)
        return result
    }

    private func why(_ answer: JSONObject, _ call: KnownDeed) async throws(CallFailure) -> String {
        let id = JSONValue.integer(call.things.first?.id ?? 0)
        let from = JSONValue.string(HumanTime.wire(deeds.times.now() - 30 * 86_400))
        let product = try await session.call("product.get", ["productId": id])
        let moves = try await session.call("price.history", ["productId": id, "from": from, "limit": 100])
        return view.why(answer, product, moves["items"]?.array ?? [])
    }

    private func plotted(_ deed: Deed, _ result: JSONObject) -> String {
        let isStock = deed.filter == "stock"
        let points = (result["items"]?.array ?? []).compactMap { item -> Plot.Point? in
            let value = isStock ? item["stock"]?.integer : Amount(item["price"])?.cents
            guard let value, let moment = HumanTime.moment(ofWire: DeedView.text(item["at"])) else { return nil }
            return Plot.Point(moment: moment, value: value)
        }
        let name = "\(DeedView.text(result["productId"])) \(DeedView.text(result["title"]))"
        let end = HumanTime.moment(ofWire: DeedView.text(result["to"])) ?? deeds.times.now()
        let plot = Plot(points: points, end: end, width: console.width ?? 80, isPlain: Environment.isPlain)
        let chart = plot.text(
            label: { isStock ? String($0) : Amount(cents: $0).text },
            time: { WallTime($0, in: deeds.times.zone).text }
        )
        return "\(deeds.palette.bold(name))  \(isStock ? "stock" : "price")\n\(chart)"
    }

    /// The id of the newest price change of a product; nil when there is none.
    private func lastChange(of things: [Named]) async -> Result<Int64?, CallFailure> {
        let parameters: JSONObject = ["productId": .integer(things.first?.id ?? 0), "limit": 1]
        let reading = await interrupts.cancelling { [session] in await session.result("price.history", parameters) }
        return reading.map { $0["items"]?.array?.first?["priceChangeId"]?.integer }
    }

    // MARK: writing

    private func write(_ call: KnownDeed) async -> Next {
        let (deed, method) = (call.deed, call.method)
        switch await preflight(
            method,
            call.parameters,
            titles: call.titles,
            isAttempt: deed.isAttempt,
            isGrave: deed.isGrave
        ) {
        case .ended(let next): return next
        case .refused(let failure): return refused(failure, deed)
        case .agreed(let agreed):
            let writing = await interrupts.cancelling { [session] in await session.carried(method, agreed) }
            switch writing {
            case .success(let result):
                guard format == .table, let text = view.receipt(of: deed, call.things, result) else {
                    return showPlain(result, method)
                }
                return shown(text)
            case .failure(.refused(let error)) where error.reason == "STALE" && agreed["_meta"] != nil:
                aside("the shop has moved meanwhile: nothing was done")
                return await write(call)
            case .failure(let failure): return refused(failure, deed)
            }
        }
    }

    /// A refusal, and for a price outside its limits both ways out, as commands.
    private func refused(_ failure: CallFailure, _ deed: Deed) -> Next {
        let next = report(failure)
        guard deed.word == .pin, case .refused(let error) = failure, error.reason == "OUTSIDE_LIMITS",
            let wanted = Amount(deed.parameters["price"]), let thing = deeds.last
        else { return next }
        for (name, words) in [("floor", "as low as may be"), ("ceiling", "as high as may be")] {
            guard let limit = Amount(error.data[name]), let price = deed.places["/price"] else { continue }
            let isBeyond = name == "floor" ? wanted.cents < limit.cents : wanted.cents > limit.cents
            guard isBeyond else { continue }
            let typed = Array(deeds.statement.unicodeScalars)
            var nearest = String.UnicodeScalarView(typed[..<price.lowerBound])
            nearest.append(contentsOf: limit.text.unicodeScalars)
            nearest.append(contentsOf: typed[price.upperBound...])
            let other = "product.update productId=\(thing.id) \(name)=\(wanted.text)"
            console.warn(
                WaysOut.text(
                    [(String(nearest), words), (other, "declares another \(name)")],
                    width: console.width,
                    palette: deeds.palette
                )
            )
        }
        return next
    }

    // MARK: what the operator is told

    func shown(_ text: String) -> Next { console.show(text) ? .goOn : .stop }

    /// Something beside the results.
    func aside(_ line: String) {
        console.complain(isInteractive ? deeds.palette.faint(line) : line)
    }

    func failed<Value>(_ reading: Result<Value, CallFailure>) -> Next {
        if case .failure(let failure) = reading { report(failure) } else { .goOn }
    }
}
