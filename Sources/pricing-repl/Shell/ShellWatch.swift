import JSON

/// `\watch`: a call again and again, on a terminal in one place.
extension Shell {
    /// Until the task is cancelled, the condition holds or a run fails. At the prompt a lost daemon is waited for.
    func watch(_ order: WatchOrder) async -> Next {
        guard let command = try? CommandLanguage(catalogue: session.catalogue).parse(order.command) else {
            return .goOn
        }
        guard case .call(let method, let parameters) = command else { return await repeatMessage(order) }
        lastCall = (method, parameters)
        let isInPlace = console.isCapable
        var frame = WatchFrame()
        while !Task.isCancelled {
            let title = "watch \(order.command) · every \(Self.pause(order.seconds)) · Ctrl-C ends"
            var isOver = false
            do throws(CallFailure) {
                let result = try await session.carry(method, parameters)
                let text = renderer(of: method).render(result)
                if isInPlace {
                    let clock = WallTime(HumanTime.present, in: .system).secondText
                    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
                    let all = ["\(title)  \(clock)"] + (lines.last == "" ? lines.dropLast() : lines[...])
                    let (width, height) = (console.width ?? 80, console.height ?? 24)
                    console.show(frame.next(all, width: width, height: height))
                } else if !console.show(text) {
                    return .stop
                }
                isOver = order.until?.holds(of: result) ?? false
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
