import JSONRPC
import Logging

/// Where a reply goes.
enum ReplyPlace: Sendable {
    /// A separate line.
    case line
    /// An element of the reply to a batch.
    case batch(BatchReply)
}

/// Turns the outcomes of one connection's calls into lines of its output.
final class ReplyDesk: Sendable {
    let connection: RPCConnection
    private let register: ConnectionRegister
    private let logger: Logger

    init(connection: RPCConnection, register: ConnectionRegister, logger: Logger) {
        self.connection = connection
        self.register = register
        self.logger = logger
    }

    /// Admits a call; false when it was refused, and the refusal was sent.
    func admit(_ call: RPCCall, isUrgent: Bool, rank: @autoclosure () -> PeerRank) -> Bool {
        guard let inFlight = connection.begin(call) else {
            if let id = call.id { refuse(nil, .duplicateID(id), call.place, of: call.method) }
            return false
        }
        guard let refusal = register.beginCall(isUrgent: isUrgent, inFlight: inFlight, rank: rank()) else {
            return true
        }
        connection.wasRefused = true
        connection.release(call)
        if let id = call.id { refuse(id, refusal, call.place, of: call.method) }
        register.connectionGaveBack(leaving: connection.end(call))
        return false
    }

    /// Replies to a call that was admitted.
    func answer(_ call: RPCCall, _ outcome: Result<RPCReply, RPCError>) {
        end(call) {
            if let id = call.id {
                reply(id, outcome, call.place)
            } else if case .failure(let error) = outcome {
                logger.debug(
                    "A notification failed",
                    metadata: ["method": "\(call.method)", "reason": "\(error.reason)"]
                )
            }
        }
    }

    /// Refuses a call that was admitted, for want of room.
    func answer(_ call: RPCCall, _ refusal: ErrorText) {
        connection.wasRefused = true
        end(call) {
            if let id = call.id { refuse(id, refusal, call.place) }
        }
    }

    /// Refuses, for want of room, a request whose line was not parsed.
    func refuse(_ id: RequestID, _ refusal: ErrorText) {
        connection.wasRefused = true
        refuse(id, refusal, .line)
    }

    private func end(_ call: RPCCall, _ reply: () -> Void) {
        connection.release(call)
        reply()
        register.connectionGaveBack(leaving: connection.end(call))
        register.endCall()
    }

    /// Replies to a request that was never in flight.
    func reply(_ id: RequestID, _ outcome: Result<RPCReply, RPCError>, _ place: ReplyPlace) {
        switch outcome {
        case .failure(let error): refuse(id, ErrorText(error), place)
        case .success(let reply):
            let line = Envelope.result(id, reply.result)
            if line.count - 1 > connection.limits.responseLineBytes {
                deliver(tooLarge(id, line.count - 1), id, afterReply: nil, place)
            } else {
                deliver(line, id, afterReply: reply.afterReply, place)
            }
        }
    }

    /// Sends an error for what the service never saw; without an id when the request's id is not known.
    /// - Parameter method: what was asked for, where that is known.
    func refuse(_ id: RequestID?, _ error: RPCError, _ place: ReplyPlace, of method: String? = nil) {
        note(error, of: method)
        refuse(id, ErrorText(error), place)
    }

    /// Logs what was refused before the service saw it, which logs all else.
    func note(_ error: RPCError, of method: String? = nil) {
        logger.info(
            "refused",
            metadata: [
                "method": "\(method?.prefix(64) ?? "none")", "outcome": "\(error.reason)",
                "peer": "\(connection.peer.label)", "connection": "\(connection.number)",
            ]
        )
    }

    private func refuse(_ id: RequestID?, _ error: ErrorText, _ place: ReplyPlace) {
        deliver(Envelope.error(id, error), id, afterReply: nil, place)
    }

    private func deliver(_ line: [UInt8], _ id: RequestID?, afterReply: (@Sendable () -> Void)?, _ place: ReplyPlace) {
        switch place {
        case .line:
            if case .queued = connection.send(line) { afterReply?() }
        case .batch(let batch):
            let added = batch.add(line, instead: tooLarge(id, line.count - 1), afterReply: afterReply)
            guard let whole = added, case .queued = connection.send(whole.line) else { return }
            for action in whole.afterwards {
                action()
            }
        }
    }

    private func tooLarge(_ id: RequestID?, _ bytes: Int) -> [UInt8] {
        let limit = connection.limits.responseLineBytes
        return Envelope.error(id, .messageTooLarge(.responseLineBytes, value: limit, actual: bytes))
    }
}
