import Glibc
package import JSONRPC
package import Logging
import NIOCore
import NIOPosix
import Waking

/// Where a server gets its connections from.
package enum Listener: Sendable {
    /// A socket that we opened; it is removed when the server ends.
    case socket(ListeningSocket)
    /// A listening socket that was handed to the process; its file belongs to its maker.
    case inherited(descriptor: Int32)
    /// One socket that was handed to the process already connected.
    case connected(descriptor: Int32)
    /// Descriptors 0 and 1 of the process, moved to other numbers.
    case standardIO(StandardIO)
}

/// The result of a drain.
package struct DrainCount: Sendable, Equatable {
    /// Calls that ended by themselves.
    package let completed: Int
    /// Calls that had to be cancelled at the deadline.
    package let cancelled: Int
}

/// A JSON-RPC server: accepts peers and lets a service answer their calls.
package struct RPCServer: Sendable {
    private let listener: Listener
    private let service: any RPCService
    private let limits: TransportLimits
    private let mirror: ConversationMirror?
    private let logger: Logger
    private let register: ConnectionRegister
    private let ending = Waker()

    package init(
        listener: Listener,
        service: any RPCService,
        limits: TransportLimits = .defaults,
        mirror: ConversationMirror? = nil,
        logger: Logger
    ) {
        self.listener = listener
        self.service = service
        self.limits = limits
        self.mirror = mirror
        self.logger = logger
        register = ConnectionRegister(limits: limits, ownUser: getuid())
    }

    /// The peers that are connected now.
    package var connections: [RPCConnection] { register.connections }

    /// How many calls have not ended yet.
    package var callsInFlight: Int { register.callsInFlight }

    /// Whether new calls are refused because the server ends.
    package var isDraining: Bool { register.isEnding }

    /// The calls that have no answer yet, the oldest first.
    package var calls: [RPCCall] { register.calls }

    /// Serves until `shutdown()`, until a single peer has ended its input, or until the task is cancelled, which cuts
    /// every connection. No task that it started is left when it returns. Call it once.
    /// - Throws: what kept the listening socket from being used.
    package func run() async throws {
        // Writing to a peer that has disconnected is to be an error of that write, and no signal.
        _ = signal(SIGPIPE, SIG_IGN)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask(priority: .high) { await register.watchForStandstill() }
                defer { group.cancelAll() }
                try await serve()
            }
        } catch {
            await mirror?.finish()
            throw error
        }
        await mirror?.finish()
    }

    private func serve() async throws {
        switch listener {
        case .socket(let socket):
            defer { socket.close() }
            guard let descriptor = socket.releaseDescriptor() else { return }
            try await accept(from: descriptor)
        case .inherited(let descriptor):
            try await accept(from: descriptor)
        case .connected(let descriptor):
            try await serve(connected: descriptor)
        case .standardIO(let descriptors):
            try await serve(descriptors)
        }
    }

    /// Refuses new calls and connections, and waits for those in flight; at the deadline it cancels the rest.
    /// - Parameter spared: the call that asked for the drain. It is answered afterwards, so it is not waited for.
    package func drain(
        until deadline: ContinuousClock.Instant,
        sparing spared: RPCCall? = nil
    ) async -> DrainCount {
        register.beginDrain()
        let ownCalls = spared == nil ? 0 : 1
        let before = max(0, register.callsInFlight - ownCalls)
        await withTaskGroup { group in
            group.addTask { await register.waitForCalls(downTo: ownCalls) }
            group.addTask { try? await ContinuousClock().sleep(until: deadline) }
            _ = await group.next()
            group.cancelAll()
        }
        let left = max(0, register.callsInFlight - ownCalls)
        if left > 0 {
            for connection in register.connections { connection.cancelCalls(except: spared) }
        }
        return DrainCount(completed: before - min(before, left), cancelled: left)
    }

    /// Stops accepting, answers calls in flight, and lets `run()` return. Output for a peer that does not read is dropped
    /// after two seconds. Does not wait, so a reply's `afterReply` may call it.
    package func shutdown() {
        register.beginDrain()
        ending.wake()
    }
}

// MARK: peers

extension RPCServer {
    private func accept(from descriptor: Int32) async throws {
        let (accepted, continuation) = AsyncStream.makeStream(of: Accepted.self)
        let spare = SpareDescriptor()
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DescriptorShortageHandler(spare))
                }
            }
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                let isLast = spare.isSpent || Self.hasKeptDescriptor(channel)
                channel.closeFuture.whenComplete { _ in spare.restore() }
                return prepare(channel, refusal: isLast ? SpareDescriptor.refusal : nil).map { peer in
                    // It was accepted while the server shut down.
                    if case .terminated = continuation.yield(peer) { channel.close(promise: nil) }
                }
            }
        let listening = try await bootstrap.withBoundSocket(descriptor).get()
        // NIO sets a shorter backlog on a socket that was bound before than a burst of connects needs.
        _ = listen(descriptor, 1024)
        listening.closeFuture.whenComplete { _ in continuation.finish() }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await ending.wait()
                    listening.close(promise: nil)
                }
                for await peer in accepted {
                    group.addTask(priority: .high) { await serve(peer) }
                }
                // Reached without a shutdown when the listening socket has failed.
                ending.wake()
                sendAllAway()
            }
        } onCancel: {
            cut()
        }
    }

    private func serve(connected descriptor: Int32) async throws {
        let (accepted, continuation) = AsyncStream.makeStream(of: Accepted.self)
        _ = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                prepare(channel).map { _ = continuation.yield($0) }
            }
            .withConnectedSocket(descriptor).get()
        continuation.finish()
        for await peer in accepted {
            await serveAlone(peer)
        }
    }

    private func serve(_ descriptors: StandardIO) async throws {
        let pump = try DescriptorPump(input: descriptors.input, output: descriptors.output)
        let peer = Peer(pid: 0, uid: getuid(), gid: getgid())
        let (connection, refusal) = register.open(peer) { number in
            RPCConnection(
                number: number,
                peer: peer,
                transport: pump,
                limits: limits,
                budget: register.budget,
                record: mirror?.record(number)
            )
        }
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        await withTaskGroup { group in
            group.addTask { try? await threads.runIfActive { pump.run(connection) } }
            group.addTask { await serveAlone(Accepted(connection: connection, refusal: refusal)) }
            await group.waitForAll()
        }
        try await threads.shutdownGracefully()
    }

    private func serveAlone(_ peer: Accepted) async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await ending.wait()
                    sendAllAway()
                }
                await serve(peer)
                ending.wake()
            }
        } onCancel: {
            cut()
        }
    }

    private func serve(_ peer: Accepted) async {
        let runner = ConnectionRunner(connection: peer.connection, service: service, register: register, logger: logger)
        await runner.run(refusal: peer.refusal)
        register.close(peer.connection)
    }

    private func sendAllAway() {
        for connection in register.connections {
            connection.leave()
        }
    }

    private func cut() {
        shutdown()
        for connection in register.connections {
            connection.cancelCalls()
            connection.abort()
        }
    }

    private static func hasKeptDescriptor(_ channel: any Channel) -> Bool {
        let isKept = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self,
            SpareDescriptor.isKept
        )
        return isKept == true
    }

    /// Asks the kernel who connected, and makes the channel's connection.
    private func prepare(_ channel: any Channel, refusal: RPCError? = nil) -> EventLoopFuture<Accepted> {
        guard let options = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let credentials: EventLoopFuture<Credentials> = options.unsafeGetSocketOption(
            level: .init(SOL_SOCKET),
            name: .init(SO_PEERCRED)
        )
        return credentials.flatMapThrowing { credentials in
            let peer = Peer(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
            let (connection, refusal) = register.open(peer, refusal: refusal) { number in
                RPCConnection(
                    number: number,
                    peer: peer,
                    transport: SocketTransport(channel: channel),
                    limits: limits,
                    budget: register.budget,
                    record: mirror?.record(number)
                )
            }
            try channel.pipeline.syncOperations.addHandler(SocketInputHandler(connection))
            return Accepted(connection: connection, refusal: refusal)
        }
    }
}

private struct Accepted: Sendable {
    let connection: RPCConnection
    let refusal: RPCError?
}
