import JSON

/// `watch`: a look again and again, on a terminal in one place, at each change where the daemon tells of it.
extension Shell {
    /// Pages of a list that are watched at most.
    private static let watchedPagesMax = 10
    /// Between two looks, and at least as long as a look took.
    private static let pauseMin = Duration.milliseconds(100)

    private typealias Look = () async throws(CallFailure) -> Reading

    /// What is watched is found once; then it is looked at again and again.
    func watch(_ order: WatchOrder) async -> Next {
        deeds.statement = CommandLanguage.statement(of: order.command)
        switch try? CommandLanguage(catalogue: session.catalogue, times: deeds.times).watched(order.command) {
        case .call(let method, let parameters):
            lastCall = (method, parameters)
            return await interrupts.cancelling(left: .goOn) {
                await self.watch(order, nil) { () async throws(CallFailure) in
                    let result = try await self.session.carry(method, parameters)
                    return Reading(result: result, text: self.renderer(of: method).render(result))
                }
            }
        case .deed(let deed):
            // What goes into a file or a pipe is told line by line.
            if deed.word == .watch, !console.isTerminal, order.until == nil { return await told(deed) }
            switch await known(deed) {
            case .none(let next): return next
            case .found(let known):
                return await interrupts.cancelling(left: .goOn) {
                    await self.watch(order, Self.subscription(of: known)) { () async throws(CallFailure) in
                        try await known.deed.word == .watch
                            ? self.watched(known) : self.reading(known, isPatient: false)
                    }
                }
            }
        default: return await interrupts.cancelling(left: .goOn) { await self.repeatMessage(order) }
        }
    }

    /// `watch price` where no table can be drawn.
    private func told(_ deed: Deed) async -> Next {
        var told = deed
        (told.word, told.method) = (.tail, "events.subscribe")
        told.parameters = ["topics": .array(deed.topic.map { [.string($0)] } ?? [])]
        if let product = deed.slots.first, deed.method == "product.get" {
            told.parameters = ["topics": ["price", "stock"]]
            told.slots = [Deed.Slot(reference: product.reference, parameter: "productIds")]
        } else {
            told.slots = []
        }
        return await perform(told)
    }

    /// The events that may change what a look shows; nil where none tells of it.
    private static func subscription(of call: KnownDeed) -> JSONObject? {
        if call.method == "order.list" { return ["topics": ["order"], "overflow": "conflate"] }
        if call.method == "order.get" { return call.parameters["orderId"].map { ["orderId": $0] } }
        guard call.method == "product.list" || call.things.first?.kind == .product, call.deed.word != .who else {
            return nil
        }
        var subscription: JSONObject = ["topics": ["price", "stock"], "overflow": "conflate"]
        if let product = call.parameters["productId"] { subscription["productIds"] = [product] }
        return subscription
    }

    /// Until the task is cancelled, the condition holds or a look fails. At the prompt a lost daemon is waited for.
    private func watch(_ order: WatchOrder, _ subscription: JSONObject?, _ look: Look) async -> Next {
        let signal = WatchSignal()
        let running = Task { [socket = session.socket] in
            await signal.run(every: .seconds(order.seconds), subscription: subscription, socket: socket)
        }
        interrupts.onResize { signal.wake() }
        let told = session.told
        // In the middle of a frame is no place for it.
        if let feed, console.isTerminal { session.told = { feed.take(text: $0) } }
        defer {
            running.cancel()
            interrupts.onResize(nil)
            session.told = told
        }
        var frame = WatchFrame()
        let clock = ContinuousClock()
        for await _ in signal.wakes {
            let start = clock.now
            let pause = (signal.hearsChanges ? "every change, else " : "every ") + Self.pause(order.seconds)
            let title = "watch \(order.command) · \(pause) · Ctrl-C ends"
            do throws(CallFailure) {
                let seen = try await look()
                guard draw(seen, title, &frame) else { return .stop }
                // Nobody ends what is only played again.
                if console.recorded != nil { return .goOn }
                if order.until?.holds(of: seen.result) == true { return .goOn }
            } catch {
                if Task.isCancelled { break }
                guard isInteractive, case .disconnected = error else { return report(error) }
                drawAway("watch \(order.command)", &frame)
            }
            guard (try? await Task.sleep(for: max(Self.pauseMin, clock.now - start))) != nil else { break }
        }
        if !isInteractive { note(.interrupted) }
        return isInteractive ? .goOn : .stop
    }

    /// Whether frames replace each other; in a recording, which people read, each change is a block.
    private var isInPlace: Bool { console.isCapable && console.tap == nil }

    /// False when the reader of the output is gone.
    private func draw(_ seen: Reading, _ title: String, _ frame: inout WatchFrame) -> Bool {
        let content = seen.table.map { WatchFrame.Content.table($0) } ?? .text(seen.text)
        let clock = WallTime(HumanTime.present, in: .system).secondText
        if isInPlace {
            let (width, height) = (console.width ?? 80, console.height ?? 24)
            let palette = deeds.palette
            return console.show(
                frame.next(title, at: clock, content, width: width, height: height, palette: palette)
            )
        }
        guard console.isTerminal || seen.table != nil else { return console.show(seen.text) }
        let block = frame.block(title, at: clock, content, width: console.width, palette: deeds.palette)
        return block.map { console.show($0) } ?? true
    }

    /// The daemon is away: the last look stands, and the title says so.
    private func drawAway(_ title: String, _ frame: inout WatchFrame) {
        guard isInPlace else { return }
        let (width, height) = (console.width ?? 80, console.height ?? 24)
        let clock = WallTime(HumanTime.present, in: .system).secondText
        let away = "\(title) · \(session.link.away(at: .now) ?? "connecting") · Ctrl-C ends"
        console.show(frame.next(away, at: clock, nil, width: width, height: height))
    }

    /// A look at what `watch` names itself.
    private func watched(_ call: KnownDeed) async throws(CallFailure) -> Reading {
        var result = try await session.call(call.method, call.parameters)
        var items = result["items"]?.array ?? (call.method == "product.get" ? [.object(result)] : [])
        var (pages, next) = (1, call.parameters)
        while call.method == "product.list", let cursor = result["nextCursor"]?.string, pages < Self.watchedPagesMax {
            next["cursor"] = .string(cursor)
            result = try await session.call(call.method, next)
            items += result["items"]?.array ?? []
            pages += 1
        }
        items = items.filter { DeedView.kept($0, by: call.deed.filter) }
        let isMore = call.method == "product.list" && result["nextCursor"]?.string != nil
        if call.method != "product.get" { result["items"] = .array(items) }
        guard format == .table else { return Reading(result: result, text: renderer(of: call.method).render(result)) }
        let table =
            call.method == "order.list"
            ? WatchTable.orders(items, times: deeds.times, rest: "")
            : WatchTable.products(items, topic: call.deed.topic ?? "", rest: isMore ? "others are not watched" : "")
        return Reading(result: result, text: "", table: table)
    }

    private func repeatMessage(_ order: WatchOrder) async -> Next {
        let failed = failures
        while !Task.isCancelled, failures == failed {
            if await exchange(order.command) == .stop { return .stop }
            do { try await Task.sleep(for: .seconds(order.seconds)) } catch { break }
        }
        return .goOn
    }

    private static func pause(_ seconds: Double) -> String {
        let text = String(seconds)
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " s"
    }
}
