import JSON
import RPCTransport
import Synchronization

/// What the line that is typed would do, for the place behind it: asked when the operator pauses, never waited for.
final class Ghost: Sendable {
    private struct State {
        var line = ""
        var effect: String?
        var asking: Task<Void, Never>?
    }

    private let state = Mutex(State())
    /// Gives the effect of a line; nil where it has none.
    private let ask: @Sendable (String) async -> String?
    /// Draws the line anew.
    private let arrived: @Sendable () -> Void

    /// So long a pause is none.
    private static let pause = Duration.milliseconds(150)

    init(ask: @escaping @Sendable (String) async -> String?, arrived: @escaping @Sendable () -> Void) {
        self.ask = ask
        self.arrived = arrived
    }

    /// The effect of `line`, once it is known.
    func effect(of line: String) -> String? {
        state.withLock { state in
            if state.line != line {
                state.asking?.cancel()
                state = State(line: line, asking: asking(line))
            }
            return state.effect
        }
    }

    /// The shop may be another now.
    func forget() {
        state.withLock { state in
            state.asking?.cancel()
            state = State()
        }
    }

    private func asking(_ line: String) -> Task<Void, Never> {
        Task { [weak self, ask] in
            do { try await Task.sleep(for: Self.pause) } catch { return }
            guard let effect = await ask(line), !Task.isCancelled else { return }
            self?.took(effect, of: line)
        }
    }

    private func took(_ effect: String, of line: String) {
        let isWanted = state.withLock { state in
            if state.line == line { state.effect = effect }
            return state.line == line
        }
        if isWanted { arrived() }
    }
}

extension Shell {
    /// What a deed of one thing or a few would move, by a dry run of which the operator hears nothing else.
    func effect(ofTyped text: String) async -> String? {
        let language = CommandLanguage(catalogue: session.catalogue, times: deeds.times)
        guard let client = session.view.client, case .deed(let deed)? = try? language.parse(text),
            [.restock, .adjust, .sell, .pin, .unpin].contains(deed.word), !deed.isAttempt
        else { return nil }
        var things: [Named] = []
        for slot in deed.slots {
            guard let thing = await plain(slot.reference, client) else { return nil }
            things.append(thing)
        }
        var (method, parameters) = deed.call(things)
        parameters["_meta"] = ["dryRun": true, "timeoutMs": 1000]
        let reply = try? await client.call(method, parameters)
        return reply.flatMap { EffectView($0["_meta"]?.object ?? [:]).brief }
    }
}
