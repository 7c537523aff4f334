import Glibc
package import JSON
package import JSONRPC
import NIOCore
import NIOPosix
import Synchronization

/// A notification from a server.
package struct RPCNotification: Sendable, Equatable {
    package let method: String
    /// The parameters by name; empty when absent.
    package let params: JSONObject
}

/// One connection to a server: any number of calls in flight at once, and the server's notifications.
///
/// It stays open until `close()` or until the server goes.
package final class RPCClient: Sendable {
    /// Told of a call's line as it is sent, and of its reply as it came; on any thread, so it must not block.
    package typealias Trace = @Sendable (_ line: ArraySlice<UInt8>, _ isReply: Bool) -> Void

    private struct Waiting {
        let continuation: CheckedContinuation<JSONObject, any Error>
        let timer: Scheduled<Void>?
        let trace: Trace?
    }

    private struct State {
        var nextID: Int64 = 1
        var waiting: [Int64: Waiting] = [:]
        /// Calls whose task was cancelled before they were sent.
        var cancelledEarly: Set<Int64> = []
        /// An error without an id: why the server refused us, most likely.
        var refusal: RPCError?
        var end: (any Error)?
    }

    /// So many notifications wait for a slow reader before the oldest are dropped.
    package static let notificationsKept = 100_000

    /// The server's notifications in order, for one reader; ends with the connection. When the reader lags by more than
    /// `connect` was told to keep, the oldest are dropped.
    package let notifications: AsyncStream<RPCNotification>

    private let noted: AsyncStream<RPCNotification>.Continuation
    private let dropped = Atomic(0)
    private let onDrop: @Sendable (Int) -> Void
    private let channel: any Channel
    private let outbox = Outbox()
    private let limits: TransportLimits
    private let state = Mutex(State())

    /// Connects to the server that listens at `path`, and sends nothing before the kernel has said that it is root's, ours
    /// or that of the folder's owner.
    /// - Parameters:
    ///   - kept: how many notifications wait for a slow reader before the oldest are dropped.
    ///   - onDrop: told each time one was, with how many were so far; on the event loop, so it must not block.
    package static func connect(
        socket path: String,
        limits: TransportLimits = .defaults,
        keeping kept: Int = notificationsKept,
        onDrop: @escaping @Sendable (_ dropped: Int) -> Void = { _ in }
    ) async throws(RPCClientError) -> RPCClient {
        _ = signal(SIGPIPE, SIG_IGN)
        // The client stands in the pipeline before the first byte can come: a refusal may come at once.
        let made = Mutex<RPCClient?>(nil)
        let bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let client = RPCClient(channel: channel, limits: limits, kept, onDrop)
                    made.withLock { $0 = client }
                    let handler = ClientInputHandler(client, lineLimit: limits.responseLineBytes)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        let server: Credentials
        do {
            let channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
            guard let options = channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
            server = try await options.unsafeGetSocketOption(
                level: .init(SOL_SOCKET),
                name: .init(SO_PEERCRED)
            ).get()
        } catch {
            // What it said at once may have ended the connection before the kernel was asked whose it is.
            let end = made.withLock { $0 }?.state.withLock { $0.end }
            if let end = end as? RPCClientError, end == .malformedReply { throw end }
            throw .cannotConnect(path: path, errno: (error as? IOError)?.errnoCode ?? 0)
        }
        do throws(RPCClientError) {
            try ServerTrust.check(server, socket: path)
        } catch {
            await made.withLock({ $0 })?.close()
            throw error
        }
        guard let client = made.withLock({ $0 }) else { throw .cannotConnect(path: path, errno: 0) }
        return client
    }

    private init(
        channel: any Channel,
        limits: TransportLimits,
        _ kept: Int,
        _ onDrop: @escaping @Sendable (Int) -> Void
    ) {
        self.channel = channel
        self.onDrop = onDrop
        self.limits = limits
        (notifications, noted) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(kept))
        channel.closeFuture.whenComplete { _ in self.ended() }
    }

    /// Calls a method and waits for its reply.
    ///
    /// When the calling task is cancelled, the server is asked to cancel the call, and the wait goes on for the one
    /// reply: CANCELLED, or the result if that won.
    /// - Parameter timeout: How long to wait; nil waits as long as the connection lives.
    /// - Throws: `RPCError` for an error reply, `RPCClientError` when there is no reply.
    package func call(
        _ method: String,
        _ params: JSONObject = [:],
        timeout: Duration? = nil,
        trace: Trace? = nil
    ) async throws -> JSONObject {
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        let line = Envelope.request(.integer(id), method, params)
        guard line.count - 1 <= limits.requestLineBytes else {
            throw RPCError.messageTooLarge(
                .requestLineBytes,
                value: limits.requestLineBytes,
                actual: line.count - 1
            )
        }
        defer { state.withLock { _ = $0.cancelledEarly.remove(id) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                start(id, line, timeout, trace, continuation)
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Sends a notification; nothing comes back, not even an error.
    package func notify(_ method: String, _ params: JSONObject = [:]) {
        send(Envelope.notification(method, JSONText(params)))
    }

    /// Lets what was sent leave, ends the connection, and waits until it has ended. Calls in flight fail.
    package func close() async {
        if outbox.end() { transport.wakeWriter(of: outbox) }
        try? await channel.closeFuture.get()
    }

    private var transport: SocketTransport { SocketTransport(channel: channel) }

    private func send(_ line: [UInt8]) {
        if case .queued(wakes: true, _) = outbox.append(line) { transport.wakeWriter(of: outbox) }
    }

    private func start(
        _ id: Int64,
        _ line: [UInt8],
        _ timeout: Duration?,
        _ trace: Trace?,
        _ continuation: CheckedContinuation<JSONObject, any Error>
    ) {
        let timer = timeout.map { timeout in
            channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) { [weak self] in
                guard let self, self.finish(id, .failure(RPCClientError.timedOut)) else { return }
                self.sendCancel(id)
            }
        }
        let refusal: (any Error)? = state.withLock { state in
            if let end = state.end { return end }
            if state.cancelledEarly.remove(id) != nil { return RPCError.cancelled }
            state.waiting[id] = Waiting(continuation: continuation, timer: timer, trace: trace)
            return nil
        }
        if let refusal {
            timer?.cancel()
            return continuation.resume(throwing: refusal)
        }
        trace?(line.dropLast(), false)
        send(line)
    }

    private func cancel(_ id: Int64) {
        let isWaiting = state.withLock { state in
            if state.waiting[id] != nil { return true }
            state.cancelledEarly.insert(id)
            return false
        }
        if isWaiting { sendCancel(id) }
    }

    private func sendCancel(_ id: Int64) {
        notify(Message.cancelRequest, ["id": .integer(id)])
    }

    /// Ends one call; false when it has ended before.
    /// - Parameter line: the reply, where one came.
    private func finish(
        _ id: Int64,
        _ result: Result<JSONObject, any Error>,
        _ line: ArraySlice<UInt8>? = nil
    ) -> Bool {
        guard let waiting = state.withLock({ $0.waiting.removeValue(forKey: id) }) else { return false }
        waiting.timer?.cancel()
        if let line { waiting.trace?(line, true) }
        waiting.continuation.resume(with: result)
        return true
    }
}

// MARK: what the server says

extension RPCClient {
    func receive(_ message: Message, _ line: ArraySlice<UInt8>) {
        switch message {
        case .notification(let method, let params):
            guard case .dropped = noted.yield(RPCNotification(method: method, params: params)) else { return }
            onDrop(dropped.add(1, ordering: .relaxed).newValue)
        case .response(let response):
            receive(response, line)
        case .batch(let messages):
            for message in messages { receive(message, line) }
        case .request, .ignored:
            break
        case .malformed:
            fail(RPCClientError.malformedReply)
        }
    }

    private func receive(_ response: Message.Response, _ line: ArraySlice<UInt8>) {
        guard case .integer(let id)? = response.id else {
            guard case .error(let error) = response.body else { return }
            // An error without an id: meant for the only call there is, or for the connection.
            let only = state.withLock { state in
                state.refusal = error
                return state.waiting.count == 1 ? state.waiting.keys.first : nil
            }
            if let only { _ = finish(only, .failure(error), line) }
            return
        }
        switch response.body {
        case .result(.object(let result)): _ = finish(id, .success(result), line)
        case .result: _ = finish(id, .failure(RPCClientError.malformedReply), line)
        case .error(let error): _ = finish(id, .failure(error), line)
        }
    }

    /// Gives the connection up.
    func fail(_ error: any Error) {
        state.withLock { $0.end = $0.end ?? error }
        channel.close(promise: nil)
    }

    private func ended() {
        outbox.close()
        noted.finish()
        let (waiting, error) = state.withLock { state in
            let error = state.end ?? state.refusal ?? RPCClientError.disconnected
            state.end = error
            defer { state.waiting = [:] }
            return (Array(state.waiting.values), error)
        }
        for call in waiting {
            call.timer?.cancel()
            call.continuation.resume(throwing: error)
        }
    }
}
