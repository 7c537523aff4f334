import JSON
import JSONRPC
import Logging
import NIOCore

/// Serves one connection on its event loop: turns bytes into lines and lines into calls. A call that need not wait is
/// answered at once, and the replies to one piece of input are written together. Any other call gets a task, or is
/// answered later by the part of the service that took it.
actor ConnectionRunner {
    /// Lines up to this many bytes are parsed on the event loop. A longer one would delay the loop's other connections.
    private static let shortLineBytes = 16 << 10

    private let connection: RPCConnection
    private let service: any RPCService
    private let register: ConnectionRegister
    private let desk: ReplyDesk
    private let loop: any EventLoop
    private let loopTasks: LoopTasks

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

    init(connection: RPCConnection, service: any RPCService, register: ConnectionRegister, logger: Logger) {
        self.connection = connection
        self.service = service
        self.register = register
        desk = ReplyDesk(connection: connection, register: register, logger: logger)
        loop = connection.loop
        loopTasks = LoopTasks(loop)
    }

    private var limits: TransportLimits { connection.limits }

    /// Serves until the peer ends its input or disconnects, or we end the connection. All its calls have ended then.
    /// - Parameter refusal: when given, the peer gets only this error and is disconnected.
    func run(refusal: RPCError?) async {
        do throws(RPCError) {
            if let refusal { throw refusal }
            try await service.connectionOpened(connection)
        } catch {
            desk.note(error)
            connection.send(Envelope.error(nil, error))
            connection.sendAway()
            // When descriptors have run out this one is needed at once, so the peer is not waited for.
            return await connection.finish(lingers: error != SpareDescriptor.refusal)
        }
        var lingers = false
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                lingers = await read(into: &group)
            }
            await connection.waitForCalls()
        } onCancel: {
            connection.inbox.end()
        }
        await connection.finish(lingers: lingers)
        await service.connectionClosed(connection)
    }

    /// Reads to the end of the input. True when the peer may still be sending.
    private func read(into group: inout DiscardingTaskGroup) async -> Bool {
        var framer = LineFramer(limit: limits.requestLineBytes)
        var partialSince: ContinuousClock.Instant?
        while let piece = await withTaskExecutorPreference(loopTasks, operation: { await connection.inbox.next() }) {
            let now = ContinuousClock.now
            let arrived = register.arrival(now: now)
            framer.feed(piece.readableBytesView)
            connection.used(piece.readableBytes)
            let mayRefuse = connection.wasRefused
            connection.wasRefused = false
            while let item = framer.next() {
                if partialSince != nil {
                    partialSince = nil
                    connection.notePartialLine(since: nil)
                }
                if !connection.hasRoom() { await connection.waitForRoom() }
                if case .line(let line) = item, line.count <= Self.shortLineBytes {
                    if mayRefuse, isRefused(line) { continue }
                    handle(line, Message(line: line.span, limits: limits), received: arrived, in: &group)
                } else if await !handleAny(item, received: arrived, in: &group) {
                    connection.sendAway()
                    return true
                }
            }
            // Counted from the first byte of the line, so that sending it byte by byte gains no time.
            guard framer.holdsPartialLine, partialSince == nil else { continue }
            partialSince = now
            connection.notePartialLine(since: now)
        }
        connection.notePartialLine(since: nil)
        // The last line may lack its LF. If the peer has disconnected, an incomplete line is dropped.
        guard !connection.wasSentAway else { return true }
        if !connection.isGone, let item = framer.finish() {
            _ = await handleAny(item, received: .now, in: &group)
        }
        return false
    }

    /// Whether a line of a busy connection was refused by its beginning. Mirrored lines and duplicate ids are left to the
    /// parser.
    private func isRefused(_ line: ArraySlice<UInt8>) -> Bool {
        guard connection.record == nil, !connection.isGone, !register.isEnding,
            let head = LineHead(line, limits: limits),
            !connection.isInFlight(head.id), let refusal = service.refusal(of: head.method, on: connection)
        else { return false }
        desk.refuse(head.id, refusal)
        return true
    }

    /// Handles a line of any length; false when the connection has to end.
    private func handleAny(
        _ item: LineFramer.Item,
        received: Arrival,
        in group: inout DiscardingTaskGroup
    ) async -> Bool {
        switch item {
        case .oversize(let bytes, let closes):
            let error = RPCError.messageTooLarge(.requestLineBytes, value: limits.requestLineBytes, actual: bytes)
            connection.record?.note("a line of \(bytes) bytes")
            desk.refuse(nil, error, .line)
            return !closes
        case .line(let line):
            let message = await Self.message(line, limits: limits)
            handle(line, message, received: received, in: &group)
            return true
        }
    }

    /// Parses a line away from the event loop.
    @concurrent
    private static func message(_ line: ArraySlice<UInt8>, limits: TransportLimits) async -> Message {
        Message(line: line.span, limits: limits)
    }

    private func handle(
        _ line: ArraySlice<UInt8>,
        _ message: Message,
        received: Arrival,
        in group: inout DiscardingTaskGroup
    ) {
        connection.record?.received(Array(line))
        let isShort = line.count <= Self.shortLineBytes
        guard case .batch(let messages) = message else {
            return dispatch(message, isShort, bytes: line.count, received: received, place: .line, in: &group)
        }
        let reply = BatchReply(replies: messages.count { $0.isAnswered }, limit: limits.responseLineBytes)
        let bytes = line.count / messages.count
        for message in messages {
            dispatch(message, isShort, bytes: bytes, received: received, place: .batch(reply), in: &group)
        }
    }

    private func dispatch(
        _ message: Message,
        _ isShort: Bool,
        bytes: Int,
        received: Arrival,
        place: ReplyPlace,
        in group: inout DiscardingTaskGroup
    ) {
        func call(_ id: RequestID?, _ method: String, _ params: JSONObject) -> RPCCall {
            RPCCall(
                number: register.numberCall(),
                id: id,
                method: method,
                params: params,
                received: received,
                bytes: bytes,
                place: place,
                desk: desk
            )
        }
        switch message {
        case .request(let request):
            // No reply would reach a peer that has disconnected.
            guard !connection.isGone else { return }
            if request.method == Message.cancelRequest { return cancel(request.id, request.params, place) }
            begin(call(request.id, request.method, request.params), isShort, in: &group)
        case .notification(let method, let params):
            if method == Message.cancelRequest { return cancel(nil, params, place) }
            begin(call(nil, method, params), isShort, in: &group)
        case .malformed(let id, let error):
            desk.refuse(id, error, place)
        case .response(let response):
            desk.refuse(response.id, .invalidRequest("The server sends no requests, so it takes no replies."), place)
        case .batch:
            desk.refuse(nil, .invalidRequest("A message is an object."), place)
        case .ignored:
            break
        }
    }

    private func begin(_ call: RPCCall, _ isShort: Bool, in group: inout DiscardingTaskGroup) {
        let isUrgent = service.isUrgent(call.method)
        guard desk.admit(call, isUrgent: isUrgent, rank: service.rank(of: connection)) else { return }
        if isShort, service.handleInline(call) { return }
        group.addTask(priority: isUrgent ? .high : .medium) { [service] in
            do throws(RPCError) {
                call.answer(.success(try await service.reply(to: call)))
            } catch {
                call.answer(.failure(error))
            }
        }
    }

    private func cancel(_ id: RequestID?, _ params: JSONObject, _ place: ReplyPlace) {
        let target = params["id"].flatMap { try? RequestID($0, limit: limits.idBytes) }
        if let target { connection.cancel(target) }
        guard let id else { return }
        guard target != nil else {
            let violation: JSONValue = [
                "path": "/id", "rule": "type", "message": "The id of a request is a string or an integer.",
            ]
            let error = RPCError.invalidParams("The parameter id names the request.", violations: [violation])
            return desk.refuse(id, error, place)
        }
        desk.reply(id, .success(RPCReply(.emptyObject)), place)
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
