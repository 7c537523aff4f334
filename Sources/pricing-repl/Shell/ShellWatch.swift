import JSON

/// `\watch`: a call again and again, on a terminal in one place.
extension Shell {
    /// What is watched is found once; then it is looked at again and again.
    func watch(_ order: WatchOrder) async -> Next {
        deeds.statement = order.command
        switch try? CommandLanguage(catalogue: session.catalogue, times: deeds.times).parse(order.command) {
        case .call(let method, let parameters):
            lastCall = (method, parameters)
            return await interrupts.cancelling(left: .goOn) {
                await self.watch(order) { () async throws(CallFailure) in
                    let result = try await self.session.carry(method, parameters)
                    return Reading(result: result, text: self.renderer(of: method).render(result))
                }
            }
        case .deed(let deed):
            switch await known(deed) {
            case .none(let next): return next
            case .found(let known):
                return await interrupts.cancelling(left: .goOn) {
                    await self.watch(order) { () async throws(CallFailure) in try await self.reading(known) }
                }
            }
        default: return await interrupts.cancelling(left: .goOn) { await self.repeatMessage(order) }
        }
    }

    /// Until the task is cancelled, the condition holds or a run fails. At the prompt a lost daemon is waited for.
    private func watch(_ order: WatchOrder, _ look: () async throws(CallFailure) -> Reading) async -> Next {
        let isInPlace = console.isCapable
        var frame = WatchFrame()
        while !Task.isCancelled {
            let title = "watch \(order.command) · every \(Self.pause(order.seconds)) · Ctrl-C ends"
            var isOver = false
            do throws(CallFailure) {
                let seen = try await look()
                if isInPlace {
                    let clock = WallTime(HumanTime.present, in: .system).secondText
                    let lines = seen.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                    let all = ["\(title)  \(clock)"] + (lines.last == "" ? lines.dropLast() : lines[...])
                    let (width, height) = (console.width ?? 80, console.height ?? 24)
                    console.show(frame.next(all, width: width, height: height))
                } else if !console.show(seen.text) {
                    return .stop
                }
                isOver = order.until?.holds(of: seen.result) ?? false
            } catch {
                if Task.isCancelled { break }
                guard isInteractive, case .disconnected = error else { return report(error) }
                console.show("\(title)  \(session.link.prompt(at: .now))\u{1B}[K\r")
            }
            if isOver { return .goOn }
            do { try await Task.sleep(for: .seconds(order.seconds)) } catch { break }
        }
        if !isInteractive { note(.interrupted) }
        return isInteractive ? .goOn : .stop
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
