import JSONRPC
import RPCTransport

/// Gathers calls of one method while others are in the database, and carries out together those that wait.
protocol Intake: Sendable {
    /// Why a call is refused before anything is done for it, its parameters unchecked; nil when it is taken. Runs on the
    /// event loop.
    func refusal(of call: RPCCall) -> ErrorText?

    /// Takes a call without waiting; `done` is called once with its outcome, on any thread.
    func submit(_ context: CallContext, _ done: @escaping @Sendable (Outcome) -> Void)
}

extension Intake {
    func refusal(of call: RPCCall) -> ErrorText? { nil }
}
