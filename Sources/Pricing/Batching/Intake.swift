import JSONRPC
import PricingProtocol
import RPCTransport

/// Gathers calls of one method while others are in the database, and carries out together those that wait.
protocol Intake: Sendable {
    /// Why one more call of a connection is refused before anything is done for it; nil when it is taken. Runs on the event
    /// loop.
    /// - Parameter limit: the time after which its caller no longer waits.
    func refusal(on connection: RPCConnection, within limit: CallLimit) -> ErrorText?

    /// Takes a call without waiting; `done` is called once with its outcome, on any thread.
    func submit(_ context: CallContext, _ done: @escaping @Sendable (Outcome) -> Void)
}

extension Intake {
    func refusal(on connection: RPCConnection, within limit: CallLimit) -> ErrorText? { nil }
}
