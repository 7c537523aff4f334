import JSON
import JSONRPC

/// Deeds: what is named is found, what would move much is asked, and what came of it is said for people.
extension Shell {
    var view: DeedView { DeedView(width: console.width, palette: deeds.palette, times: deeds.times) }

    func perform(_ deed: Deed, into target: Redirection.Target? = nil) async -> Next {
        var things: [Named] = []
        for slot in deed.slots {
            switch await find(slot.reference, of: deed) {
            case .found(let thing): things.append(thing)
            case .none(let next): return next
            }
        }
        if let first = things.first { deeds.last = first }
        for echo in deed.echoes { aside("→ \(echo)") }
        var deed = deed
        if deed.takesLastChange {
            switch await lastChange(of: things) {
            case .success(nil): return refuse("\(things.first?.text ?? ""): its price has not moved")
            case .success(let id?): deed.parameters["priceChangeIds"] = [.integer(id)]
            case .failure(let failure): return report(failure)
            }
            things = []
        }
        let (method, parameters) = deed.call(deed.takesLastChange ? [] : things)
        lastCall = (method, parameters)
        if let failure = await learn(.method(method)) { return report(failure) }
        if session.catalogue[method]?.isWrite == true { return await write(deed, things, method, parameters) }
        guard !deed.isAttempt else { return refuse("\(deed.word) changes nothing: there is nothing to try") }
        if target != nil {
            let read = deed
            return await interrupts.cancelling(left: .goOn) {
                await self.call(method, parameters, into: target, of: read)
            }
        }
        return await self.read(deed, things, method, parameters)
    }

    // MARK: reading

    private func read(_ deed: Deed, _ things: [Named], _ method: String, _ parameters: JSONObject) async -> Next {
        let reading = await interrupts.cancelling { [session] in await session.carried(method, parameters) }
        guard case .success(var result) = reading else { return failed(reading) }
        if deed.word == .find {
            let pages = await interrupts.cancelling { await self.filled(result, deed, method, parameters) }
            guard case .success(let full) = pages else { return failed(pages) }
            result = full
            deeds.rows = (result["items"]?.array ?? []).compactMap { item in
                item["productId"]?.integer.map { Named(kind: .product, id: $0, label: DeedView.text(item["title"])) }
            }
        }
        guard format == .table else { return showPlain(result, method) }
        let items = result["items"]?.array ?? []
        switch deed.word {
        case .find: return shown(view.products(items, hasMore: result["nextCursor"]?.string != nil))
        case .show where method == "product.get": return shown(view.product(result))
        case .show where view.prose(things.first, result) != nil:
            guard case .goOn = shown(view.prose(things.first, result) ?? "") else { return .stop }
            return showPlain(result, method)
        case .why: return await why(result, things)
        case .history: return shown(view.history(things.first?.text ?? "", items))
        case .plot: return plotted(deed, result)
        case .who: return shown(view.trail(items))
        case .watch:
            let name = DeedView.text(result["subscription"])
            return shown("watching · events.unsubscribe subscription=\(name) ends it\n")
        default: return showPlain(result, method)
        }
    }

    /// The first page and, where a filter drops rows, so many more that there is something to see.
    private func filled(
        _ first: JSONObject,
        _ deed: Deed,
        _ method: String,
        _ parameters: JSONObject
    ) async -> Result<JSONObject, CallFailure> {
        guard deed.filter != nil else { return .success(first) }
        var result = first
        var kept: [JSONValue] = []
        while true {
            kept += (result["items"]?.array ?? []).filter { DeedView.kept($0, by: deed.filter) }
            guard let cursor = result["nextCursor"]?.string, kept.count < 500 else { break }
            var next = parameters
            next["cursor"] = .string(cursor)
            switch await session.result(method, next) {
            case .success(let page): result = page
            case .failure(let failure): return .failure(failure)
            }
        }
        result["items"] = .array(kept)
        return .success(result)
    }

    private func why(_ answer: JSONObject, _ things: [Named]) async -> Next {
        guard let id = things.first?.id else { return .goOn }
        let from = HumanTime.wire(deeds.times.now() - 30 * 86_400)
        let rest = await interrupts.cancelling { [session] in
            let product = await session.result("product.get", ["productId": .integer(id)])
            let moves = await session.result(
                "price.history",
                ["productId": .integer(id), "from": .string(from), "limit": 100]
            )
            return (product, moves)
        }
        guard case .success(let product) = rest.0 else { return failed(rest.0) }
        guard case .success(let moves) = rest.1 else { return failed(rest.1) }
        return shown(view.why(answer, product, moves["items"]?.array ?? []))
    }

    private func plotted(_ deed: Deed, _ result: JSONObject) -> Next {
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
        return shown("\(deeds.palette.bold(name))  \(isStock ? "stock" : "price")\n\(chart)")
    }

    /// The id of the newest price change of a product; nil when there is none.
    private func lastChange(of things: [Named]) async -> Result<Int64?, CallFailure> {
        let parameters: JSONObject = ["productId": .integer(things.first?.id ?? 0), "limit": 1]
        let reading = await interrupts.cancelling { [session] in await session.result("price.history", parameters) }
        return reading.map { $0["items"]?.array?.first?["priceChangeId"]?.integer }
    }

    // MARK: writing

    private func write(_ deed: Deed, _ things: [Named], _ method: String, _ parameters: JSONObject) async -> Next {
        switch await preflight(method, parameters, isAttempt: deed.isAttempt, isGrave: deed.isGrave) {
        case .ended(let next): return next
        case .refused(let failure): return refused(failure, deed)
        case .agreed(let agreed):
            let writing = await interrupts.cancelling { [session] in await session.carried(method, agreed) }
            switch writing {
            case .success(let result):
                guard format == .table, let text = view.receipt(of: deed, things, result) else {
                    return showPlain(result, method)
                }
                return shown(text)
            case .failure(.refused(let error)) where error.reason == "STALE" && agreed["_meta"] != nil:
                aside("the shop has moved meanwhile: nothing was done")
                return await write(deed, things, method, parameters)
            case .failure(let failure): return refused(failure, deed)
            }
        }
    }

    /// A refusal, and for a price outside its limits the nearest that is inside.
    private func refused(_ failure: CallFailure, _ deed: Deed) -> Next {
        let next = report(failure)
        guard deed.word == .pin, case .refused(let error) = failure, error.reason == "OUTSIDE_LIMITS",
            let wanted = Amount(deed.parameters["price"]), let thing = deeds.last
        else { return next }
        for (name, words) in [("floor", "as low as may be"), ("ceiling", "as high as may be")] {
            guard let limit = Amount(error.data[name]) else { continue }
            let isBeyond = name == "floor" ? wanted.cents < limit.cents : wanted.cents > limit.cents
            if isBeyond { console.complain("  pin \(thing.id) \(limit.text)        \(words)") }
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
