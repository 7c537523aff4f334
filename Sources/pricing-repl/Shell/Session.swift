import JSON
import JSONRPC
import PricingClient
import PricingProtocol
import RPCTransport

/// The connection to one daemon and what it says of itself. Connects when first needed; a session that is kept connects
/// again by itself and takes its subscriptions up where they ended.
@MainActor
final class Session {
    /// How a call without a reply failed.
    enum Loss: Error {
        case refused(RPCError)
        /// Nothing was sent.
        case unreachable(String)
        /// The connection ended before the reply.
        case lost(String)
    }

    private(set) var socket: String
    private(set) var link = Link()
    /// How far the operator's call is.
    let progress = ProgressLine()
    /// For the reading thread.
    let view = SessionView()
    /// Told of each notification, on any thread.
    var notified: @Sendable (String, JSONObject) -> Void = { _, _ in }
    /// What the operator should know of the connection.
    var told: (String) -> Void = { _ in }
    /// The prompt may be another now.
    var linkChanged: () -> Void = {}
    /// Told of the lines of the operator's calls, on any thread; nil for nobody.
    var trace: RPCClient.Trace?

    private var client: RPCClient?
    private var isKept = false
    private var connecting: Task<Result<RPCClient, Loss>, Never>?
    private var retrying: Task<Void, Never>?
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0

    init(socket: String) { self.socket = socket }

    /// The server's methods, as far as `learn` was asked for them.
    var catalogue: MethodCatalogue { view.catalogue }

    /// Connects, now and after each loss, until `disconnect`.
    func keep() {
        isKept = true
        retry()
    }

    /// Leaves the present connection and its subscriptions, and goes to another socket if `path` is given.
    func reconnect(to path: String?) async throws(CallFailure) {
        let wasKept = isKept
        await disconnect()
        link.forgetSubscriptions()
        if let path { socket = path }
        isKept = wasKept
        do throws(Loss) {
            _ = try await connected()
            view.catalogue = MethodCatalogue()
        } catch {
            if isKept { retry() }
            throw CallFailure(error)
        }
    }

    func disconnect() async {
        isKept = false
        retrying?.cancel()
        retrying = nil
        let ended = client
        client = nil
        view.client = nil
        await ended?.close()
    }

    /// Asks the server for the methods that are needed, once a connection: at the prompt for all, else for no more than a
    /// script calls. A server that cannot describe itself has none. What went wrong, or nil.
    func learn(_ need: CommandLexer.Need) async -> CallFailure? {
        var only: String?
        switch need {
        case .nothing: return nil
        case .method(let name):
            guard catalogue[name] == nil else { return nil }
            only = isKept ? nil : name
        case .everything: break
        }
        guard !catalogue.isWhole else { return nil }
        do throws(CallFailure) {
            let document = try await call("rpc.discover", only.map { ["method": .string($0)] } ?? [:])
            if only == nil {
                view.catalogue = MethodCatalogue(document: document)
            } else {
                view.catalogue.add(document)
            }
            return nil
        } catch .refused {
            return nil
        } catch {
            return error
        }
    }

    /// One call. Cancelling the task cancels the call on the server.
    func call(_ method: String, _ parameters: JSONObject) async throws(CallFailure) -> JSONObject {
        do throws(Loss) {
            return try await attempt(method, parameters)
        } catch {
            throw CallFailure(error)
        }
    }

    /// `call` with its failure as a value.
    func result(_ method: String, _ parameters: JSONObject) async -> Result<JSONObject, CallFailure> {
        do throws(CallFailure) {
            return .success(try await call(method, parameters))
        } catch {
            return .failure(error)
        }
    }

    /// A call of the operator's: carried through a loss of the connection where the same call twice is the same as once.
    func carry(_ method: String, _ parameters: JSONObject) async throws(CallFailure) -> JSONObject {
        let known = catalogue[method]
        var signed = CallSigning.sign(parameters, of: known)
        if isKept { signed = CallSigning.following(signed, of: known) }
        progress.begin()
        defer { progress.end() }
        do throws(Loss) {
            return noted(method, signed, try await attempt(method, signed))
        } catch .lost where isKept && CallSigning.maySendAgain(signed, known) {
            return noted(method, signed, try await again(method, signed))
        } catch {
            throw CallFailure(error, key: CallSigning.key(of: signed))
        }
    }

    /// `carry` with its failure as a value.
    func carried(_ method: String, _ parameters: JSONObject) async -> Result<JSONObject, CallFailure> {
        do throws(CallFailure) {
            return .success(try await carry(method, parameters))
        } catch {
            return .failure(error)
        }
    }

    /// Waits for the daemon and asks the same again; says what became of it.
    private func again(_ method: String, _ signed: JSONObject) async throws(CallFailure) -> JSONObject {
        let isWrite = CallSigning.key(of: signed) != nil
        told(
            "⟂ connection lost \(WallTime(HumanTime.present, in: .system).secondText) · "
                + (isWrite ? "not known yet whether it was done · " : "") + "trying again"
        )
        let clock = ContinuousClock()
        let start = clock.now
        while true {
            await untilUp()
            if Task.isCancelled { throw CallFailure(.lost(LostCall.left), key: CallSigning.key(of: signed)) }
            do throws(Loss) {
                let result = try await attempt(method, signed)
                told(LostCall.outcome(of: result, key: CallSigning.key(of: signed), after: clock.now - start))
                return result
            } catch .refused(let error) {
                told("  back after \(Link.tenths(clock.now - start))" + (isWrite ? ": it had not been done" : ""))
                throw .refused(error)
            } catch {
                continue
            }
        }
    }

    private func noted(_ method: String, _ parameters: JSONObject, _ reply: JSONObject) -> JSONObject {
        switch method {
        case "events.subscribe": link.subscribed(parameters, reply: reply)
        case "events.unsubscribe": link.ended(parameters["subscription"]?.string ?? "")
        default: break
        }
        return reply
    }

    private func attempt(_ method: String, _ parameters: JSONObject) async throws(Loss) -> JSONObject {
        let client = try await connected()
        do {
            return try await client.call(method, parameters, trace: method == "rpc.discover" ? nil : trace)
        } catch let error as RPCError {
            throw .refused(error)
        } catch is CancellationError {
            throw .refused(.cancelled)
        } catch {
            forget(client)
            throw .lost(ClientFailure.sentence(error))
        }
    }
}

// MARK: the connection

extension Session {
    /// Several who need it wait for the same attempt.
    private func connected() async throws(Loss) -> RPCClient {
        if let client { return client }
        let attempt = connecting ?? Task { await self.connect() }
        connecting = attempt
        let result = await attempt.value
        connecting = nil
        return try result.get()
    }

    private func connect() async -> Result<RPCClient, Loss> {
        do throws(RPCClientError) {
            let fresh = try await RPCClient.connect(socket: socket)
            await took(fresh)
            return .success(fresh)
        } catch {
            let isFirst = link.phase == .starting
            view.isAway = true
            link.failed(at: .now)
            linkChanged()
            let sentence = ClientFailure.sentence(error)
            if isFirst, isKept { told("\(sentence) Trying again; \\connect PATH goes elsewhere.") }
            return .failure(.unreachable(sentence))
        }
    }

    private func took(_ fresh: RPCClient) async {
        client = fresh
        view.client = fresh
        view.isAway = false
        let away = link.connected(at: .now)
        let notified = notified
        Task { @concurrent in
            for await notification in fresh.notifications {
                await self.saw(notification)
                notified(notification.method, notification.params)
            }
            await self.forget(fresh)
        }
        linkChanged()
        await resubscribe(fresh, isBack: away != nil)
        for waiter in waiters.values { waiter.resume() }
        waiters = [:]
    }

    private func saw(_ notification: RPCNotification) {
        if notification.method == Events.Notice.closed {
            link.ended(notification.params["subscription"]?.string ?? "")
        } else {
            link.saw(notification.params)
        }
    }

    /// Takes the subscriptions up where they ended, and says how much was missed.
    private func resubscribe(_ client: RPCClient, isBack: Bool) async {
        guard isBack else { return }
        for subscription in link.subscriptions {
            do {
                let missed = try await client.call("events.list", LostCall.missedQuery(of: subscription))
                let reply = try await client.call("events.subscribe", subscription.resumption)
                link.renamed(subscription.name, reply: reply)
                told(LostCall.missedText(missed, after: subscription.sequence))
            } catch let error as RPCError {
                link.ended(subscription.name)
                told("events: the subscription could not be taken up again: \(error.message)")
            } catch {
                return
            }
        }
    }

    /// The connection has ended: the next call makes another instead of failing on this one.
    private func forget(_ ended: RPCClient) {
        guard client === ended else { return }
        client = nil
        view.client = nil
        view.isAway = true
        link.failed(at: .now)
        linkChanged()
        if isKept { retry() }
    }

    private func retry() {
        guard retrying == nil else { return }
        retrying = Task {
            while !Task.isCancelled, client == nil {
                if link.pause > .zero { do { try await Task.sleep(for: link.pause) } catch { return } }
                _ = try? await connected()
            }
            guard !Task.isCancelled else { return }
            retrying = nil
            // With the methods known, what is typed can be hinted at.
            if await learn(.everything) == nil { linkChanged() }
            // It may have ended while nobody was trying.
            if client == nil, isKept { retry() }
        }
    }

    /// Returns when there is a connection, or when the task is cancelled.
    private func untilUp() async {
        let number = nextWaiter
        nextWaiter += 1
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if client != nil || Task.isCancelled {
                    continuation.resume()
                } else {
                    waiters[number] = continuation
                }
            }
        } onCancel: {
            Task { @MainActor in waiters.removeValue(forKey: number)?.resume() }
        }
    }
}

extension CallFailure {
    /// - Parameter key: the one that the call had, by which its fate can be asked for.
    init(_ loss: Session.Loss, key: String? = nil) {
        switch loss {
        case .refused(let error): self = .refused(error)
        case .unreachable(let reason): self = .disconnected(reason)
        case .lost(let reason):
            self = .disconnected(reason + (key.map { "; ask again with _meta.idempotencyKey=\($0)" } ?? ""))
        }
    }
}
