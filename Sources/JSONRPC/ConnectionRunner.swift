import Logging
import NIOCore

/// Serves one connection: bytes to lines to calls, each call in a child task, replies back.
struct ConnectionRunner: Sendable {
    /// Where a reply goes.
    private enum Answer: Sendable {
        case line
        case batch(BatchReply)
    }

    let connection: RPCConnection
    let service: any RPCService
    let ledger: ServerLedger
    let logger: Logger

    private var limits: TransportLimits { connection.limits }

    /// Serves until the peer ends its input, goes away, or is sent away; all its calls have ended then.
    /// - Parameter refusal: The peer only gets this error and a close.
    func run(refusal: RPCError?) async {
        do throws(RPCError) {
            if let refusal { throw refusal }
            try await service.connectionOpened(connection)
        } catch {
            connection.send(Envelope.error(nil, error))
            connection.sendAway()
            // A descriptor that is needed at once cannot wait for the peer to finish.
            return await connection.finish(lingers: error != SpareDescriptor.refusal)
        }
        var lingers = false
        await withDiscardingTaskGroup { group in
            lingers = await read(into: &group)
        }
        await connection.finish(lingers: lingers)
        await service.connectionClosed(connection)
    }

    /// Reads to the end of the input. True when the peer may still be sending.
    private func read(into group: inout DiscardingTaskGroup) async -> Bool {
        var framer = LineFramer(limit: limits.requestLineBytes)
        var partialSince: ContinuousClock.Instant?
        for await piece in connection.inbox.pieces {
            let now = ContinuousClock.now
            framer.feed(piece.readableBytesView)
            connection.used(piece.readableBytes)
            while let item = framer.next() {
                if partialSince != nil {
                    partialSince = nil
                    connection.notePartialLine(since: nil)
                }
                await connection.waitForRoom()
                if handle(item, received: now, in: &group) { continue }
                connection.sendAway()
                return true
            }
            // Counted from the first byte of the line: dripping does not prolong it.
            guard framer.holdsPartialLine, partialSince == nil else { continue }
            partialSince = now
            connection.notePartialLine(since: now)
        }
        connection.notePartialLine(since: nil)
        // The last line may lack its LF; half a line of a peer that went away is nothing.
        guard !connection.wasSentAway else { return true }
        if !connection.isGone, let item = framer.finish() {
            _ = handle(item, received: .now, in: &group)
        }
        return false
    }

    /// False when the connection has to end.
    private func handle(
        _ item: LineFramer.Item,
        received: ContinuousClock.Instant,
        in group: inout DiscardingTaskGroup
    ) -> Bool {
        switch item {
        case .oversize(let bytes, let closes):
            let error = RPCError.messageTooLarge(
                limit: "requestLineBytes",
                value: limits.requestLineBytes,
                actual: bytes
            )
            connection.record?.note("a line of \(bytes) bytes")
            connection.send(Envelope.error(nil, error))
            return !closes
        case .line(let line):
            connection.record?.received(Array(line))
            switch Message(line: line.span, limits: limits) {
            case .batch(let messages):
                let reply = BatchReply(
                    replies: messages.count { $0.isAnswered },
                    limit: limits.responseLineBytes
                )
                for message in messages {
                    let bytes = line.count / messages.count
                    take(message, bytes: bytes, received: received, answer: .batch(reply), in: &group)
                }
            case let message:
                take(message, bytes: line.count, received: received, answer: .line, in: &group)
            }
            return true
        }
    }

    private func take(
        _ message: Message,
        bytes: Int,
        received: ContinuousClock.Instant,
        answer: Answer,
        in group: inout DiscardingTaskGroup
    ) {
        switch message {
        case .request(let request):
            // Nobody is there to be answered.
            guard !connection.isGone else { return }
            start(request.id, request.method, request.params, bytes, received, answer, in: &group)
        case .notification(let method, let params):
            start(nil, method, params, bytes, received, answer, in: &group)
        case .malformed(let id, let error):
            refuse(id, error, answer)
        case .response(let response):
            refuse(response.id, .invalidRequest("The server sends no requests, so it takes no replies."), answer)
        case .batch:
            refuse(nil, .invalidRequest("A message is an object."), answer)
        case .ignored:
            break
        }
    }

    private func start(
        _ id: RequestID?,
        _ method: String,
        _ params: JSONObject,
        _ bytes: Int,
        _ received: ContinuousClock.Instant,
        _ answer: Answer,
        in group: inout DiscardingTaskGroup
    ) {
        if method == "$/cancelRequest" { return cancel(id, params, answer) }
        let cancellation = Cancellation()
        guard connection.begin(id, bytes: bytes, cancellation) else {
            if let id { refuse(nil, .duplicateID(id), answer) }
            return
        }
        let isUrgent = service.isUrgent(method)
        if let refusal = ledger.beginCall(isUrgent: isUrgent) {
            if let id {
                connection.release(id)
                refuse(id, refusal, answer)
            }
            return connection.end(bytes: bytes)
        }
        let call = RPCCall(
            id: id,
            method: method,
            params: params,
            peer: connection.peer,
            connection: connection,
            cancellation: cancellation,
            received: received
        )
        group.addTask(priority: isUrgent ? .high : .medium) {
            await perform(call, answer)
            connection.end(bytes: bytes)
            ledger.endCall()
        }
    }

    private func perform(_ call: RPCCall, _ answer: Answer) async {
        do {
            let reply = try await service.reply(to: call)
            guard let id = call.id else { return }
            connection.release(id)
            let line = Envelope.result(id, reply.result)
            if line.count - 1 > limits.responseLineBytes {
                deliver(tooLarge(id, line.count - 1), id, afterReply: nil, answer)
            } else {
                deliver(line, id, afterReply: reply.afterReply, answer)
            }
        } catch {
            guard let id = call.id else {
                logger.debug(
                    "A notification failed",
                    metadata: ["method": "\(call.method)", "reason": "\(error.reason)"]
                )
                return
            }
            connection.release(id)
            refuse(id, error, answer)
        }
    }

    private func cancel(_ id: RequestID?, _ params: JSONObject, _ answer: Answer) {
        let target = params["id"].flatMap { try? RequestID($0, limit: limits.idBytes) }
        if let target { connection.cancel(target) }
        guard let id else { return }
        guard target != nil else {
            let violation: JSONValue = [
                "path": "/id", "rule": "type", "message": "The id of a request is a string or an integer.",
            ]
            return refuse(id, .invalidParams("The parameter id names the request.", violations: [violation]), answer)
        }
        deliver(Envelope.result(id, .emptyObject), id, afterReply: nil, answer)
    }

    private func refuse(_ id: RequestID?, _ error: RPCError, _ answer: Answer) {
        deliver(Envelope.error(id, error), id, afterReply: nil, answer)
    }

    private func deliver(_ line: [UInt8], _ id: RequestID?, afterReply: (@Sendable () -> Void)?, _ answer: Answer) {
        switch answer {
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
        let limit = "responseLineBytes"
        return Envelope.error(id, .messageTooLarge(limit: limit, value: limits.responseLineBytes, actual: bytes))
    }
}

extension Message {
    fileprivate var isAnswered: Bool {
        switch self {
        case .notification, .ignored: false
        case .request, .batch, .response, .malformed: true
        }
    }
}
