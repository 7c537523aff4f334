import Glibc
import JSON
import JSONRPC
import Logging
import Synchronization
import Testing
import Waking

@testable import RPCTransport

/// A service to try the transport with: `echo`, `hold` until `free`, `big`, `fail`, `session.ping`; and two that need no
/// task: `now` answers at once, `keep` when `answerKept` is called; and `busy`, which is refused for want of room.
final class EchoService: RPCService {
    private struct State {
        var held: [String: Waker] = [:]
        var freed: Set<String> = []
        var started: [String: Waker] = [:]
        var notified: [String] = []
        var lastHeld: RPCCall?
        var kept: [RPCCall] = []
    }

    private let state = Mutex(State())
    private let refusal: RPCError?
    let opened = Waker()
    let closed = Waker()
    /// Fires with each call that is kept.
    let keeping = Waker()

    init(refusal: RPCError? = nil) {
        self.refusal = refusal
    }

    /// The call that was held last.
    var lastHeld: RPCCall? { state.withLock { $0.lastHeld } }

    var notified: [String] { state.withLock { $0.notified } }

    func connectionOpened(_ connection: RPCConnection) async throws(RPCError) {
        if let refusal { throw refusal }
        opened.wake()
    }

    func connectionClosed(_ connection: RPCConnection) async {
        closed.wake()
    }

    func isUrgent(_ method: String) -> Bool { method == "session.ping" }

    private static let busy = ErrorText(RPCError.resourceExhausted(which: "test", value: 1, retryAfterMs: 5))

    func refusal(of method: String, on connection: RPCConnection) -> ErrorText? {
        method == "busy" ? Self.busy : nil
    }

    func handleInline(_ call: RPCCall) -> Bool {
        switch call.method {
        case "busy":
            call.refuse(Self.busy)
            return true
        case "now":
            call.answer(.success(RPCReply(call.params)))
            return true
        case "keep":
            state.withLock { $0.kept.append(call) }
            keeping.wake()
            return true
        default:
            return false
        }
    }

    /// Answers every call that is kept; a cancelled one says so.
    func answerKept() {
        let kept = state.withLock { state in
            defer { state.kept = [] }
            return state.kept
        }
        for call in kept {
            call.answer(call.cancellation.isCancelled ? .failure(.cancelled) : .success(RPCReply(call.params)))
        }
    }

    /// Runs `handler` when a call that is kept is cancelled.
    func onKeptCancel(_ handler: @escaping @Sendable () -> Void) {
        for call in state.withLock({ $0.kept }) { call.cancellation.onCancel(handler) }
    }

    func reply(to call: RPCCall) async throws(RPCError) -> RPCReply {
        if call.id == nil { state.withLock { $0.notified.append(call.method) } }
        switch call.method {
        case "session.ping":
            return RPCReply(.emptyObject)
        case "echo", "now":
            return RPCReply(call.params)
        case "hold":
            try await hold(call)
            return RPCReply(call.params)
        case "free":
            free(call.params["key"]?.string ?? "")
            return RPCReply(.emptyObject)
        case "big":
            let count = Int(call.params["bytes"]?.integer ?? 0)
            return RPCReply(["x": .string(String(repeating: "x", count: count))])
        case "peer":
            return RPCReply(["uid": .integer(Int64(call.peer.uid)), "pid": .integer(Int64(call.peer.pid))])
        case "subscribe":
            return RPCReply(["subscribed": true]) {
                call.connection.send(notification: "event", params: JSONText(["first": true]))
            }
        default:
            throw .methodNotFound(call.method)
        }
    }

    /// Waits until a call with this key is being held.
    func isHolding(_ key: String) async {
        await started(key).wait()
    }

    func free(_ key: String) {
        state.withLock { state in
            state.freed.insert(key)
            return state.held[key]
        }?.wake()
    }

    private func started(_ key: String) -> Waker {
        state.withLock { state in
            let waker = state.started[key] ?? Waker()
            state.started[key] = waker
            return waker
        }
    }

    private func hold(_ call: RPCCall) async throws(RPCError) {
        let key = call.params["key"]?.string ?? ""
        let waker = state.withLock { state in
            let waker = state.held[key] ?? Waker()
            state.held[key] = waker
            state.lastHeld = call
            if state.freed.contains(key) { waker.wake() }
            return waker
        }
        call.cancellation.onCancel { waker.wake() }
        started(key).wake()
        await waker.wait()
        if call.cancellation.isCancelled { throw .cancelled }
    }
}

/// Runs a server on a socket in a folder of its own while `body` runs.
func withServer(
    _ service: EchoService = EchoService(),
    limits: TransportLimits = .defaults,
    _ body: (_ path: String, _ server: RPCServer, _ service: EchoService) async throws -> Void
) async throws {
    try await withFolder { folder in
        let path = folder + "/s"
        let socket = try ListeningSocket(path: path)
        let server = RPCServer(
            listener: .socket(socket),
            service: service,
            limits: limits,
            logger: Logger(label: "test")
        )
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            do {
                try await body(path, server, service)
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(server.connections.isEmpty)
        #expect(server.callsInFlight == 0)
        #expect(unsafe access(path, F_OK) != 0)
        #expect(unsafe access(path + ".lock", F_OK) != 0)
    }
}

/// Gives `body` an empty folder and removes it afterwards.
func withFolder(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/jsonrpc-XXXXXX".utf8CString)
    let made = unsafe mkdtemp(&template) != nil
    try #require(made)
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
        for name in ["s", "s.lock", "in", "out"] { unsafe unlink(folder + "/" + name) }
        unsafe rmdir(folder)
    }
    try await body(folder)
}

/// The value of a reply line.
func parsed(_ line: String?) throws -> JSONValue {
    try JSONParser.parse(Array(try #require(line).utf8))
}

/// A request line.
func request(_ id: JSONValue, _ method: String, _ params: JSONObject? = nil) -> String {
    var members: JSONObject = ["jsonrpc": "2.0", "id": id, "method": .string(method)]
    members["params"] = params.map { .object($0) }
    return JSONValue.object(members).description
}
