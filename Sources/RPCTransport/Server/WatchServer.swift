import Glibc
package import Logging
import NIOCore
import NIOPosix
import Synchronization
import Waking

/// What a watching program is answered.
package struct WatchPage: Sendable {
    /// The status of HTTP.
    package let status: Int
    /// The media type of the text.
    package let type: String
    package let text: String

    package init(status: Int = 200, type: String = "text/plain; charset=utf-8", text: String) {
        self.status = status
        self.type = type
        self.text = text
    }

    /// What a collector reads.
    package init(metrics text: String) {
        self.init(type: "text/plain; version=0.0.4; charset=utf-8", text: text)
    }
}

/// Serves a few pages over HTTP/1.1 on a Unix socket to the programs that watch the daemon. One request a connection, and
/// everything bounded: how many connections, how long each lasts, and how long the head of a request is.
package final class WatchServer: Sendable {
    /// Answers the requests for one path.
    package typealias Answer = @Sendable () async -> WatchPage

    /// Most connections; a scraper and a probe or two need no more.
    package static let connections = 8
    /// How long a connection lasts at most, whatever its peer does: longer than a page may take.
    package static let patience = Duration.seconds(10)
    /// Longest head of a request, in bytes.
    package static let headBytes = 8192

    private let socket: ListeningSocket
    private let pages: [String: Answer]
    private let logger: Logger
    private let open = Atomic(0)
    private let spare = SpareDescriptor()
    private let ending = Waker()

    /// - Parameter pages: by their path.
    package init(socket: ListeningSocket, pages: [String: Answer], logger: Logger) {
        self.socket = socket
        self.pages = pages
        self.logger = logger
    }

    /// Ends `run()`.
    package func shutdown() {
        ending.wake()
    }

    /// Serves until `shutdown()` or until the task is cancelled. Call it once.
    /// - Throws: what kept the socket from being used.
    package func run() async throws {
        defer { socket.close() }
        guard let descriptor = socket.releaseDescriptor() else { return }
        let (requests, asked) = AsyncStream.makeStream(of: WatchRequest.self)
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelInitializer { [spare] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DescriptorShortageHandler(spare))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.accept(channel, asked) }
            }
        let listening = try await bootstrap.withBoundSocket(descriptor).get()
        listening.closeFuture.whenComplete { _ in asked.finish() }
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await self.ending.wait()
                    listening.close(promise: nil)
                }
                for await request in requests {
                    group.addTask { await self.answer(request) }
                }
                // Reached without a shutdown when the listening socket has failed.
                self.ending.wake()
            }
        } onCancel: {
            shutdown()
        }
    }

    /// Counts a connection, limits its life and has its request read.
    private func accept(_ channel: any Channel, _ asked: AsyncStream<WatchRequest>.Continuation) throws {
        let isLast = spare.isSpent
        let isTooMany = open.add(1, ordering: .relaxed).newValue > Self.connections
        let end = channel.eventLoop.scheduleTask(in: .nanoseconds(Self.patience.components.seconds * 1_000_000_000)) {
            channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { [self] _ in
            end.cancel()
            open.subtract(1, ordering: .relaxed)
            spare.restore()
        }
        try channel.pipeline.syncOperations.addHandler(
            WatchRequestReader(isBusy: isLast || isTooMany) { request in
                if case .terminated = asked.yield(request) { channel.close(promise: nil) }
            }
        )
    }

    private func answer(_ request: WatchRequest) async {
        let page: WatchPage
        switch request.asked {
        case .busy: page = WatchPage(status: 503, text: "too many connections\n")
        case .tooLong: page = WatchPage(status: 431, text: "the head of the request is too long\n")
        case .malformed: page = WatchPage(status: 400, text: "no request of HTTP/1.1\n")
        case .page(let method, let path):
            if method != "GET", method != "HEAD" {
                page = WatchPage(status: 405, text: "GET and HEAD alone\n")
            } else if let answer = pages[path] {
                page = await answer()
            } else {
                page = WatchPage(status: 404, text: pages.keys.sorted().joined(separator: "\n") + "\n")
            }
        }
        logger.debug("watched", metadata: ["request": "\(request.asked)", "status": "\(page.status)"])
        let head = """
            HTTP/1.1 \(page.status) \(Self.phrase(page.status))\r
            Content-Type: \(page.type)\r
            Content-Length: \(page.text.utf8.count)\r
            Cache-Control: no-store\r
            Allow: GET, HEAD\r
            Connection: close\r
            \r

            """
        let isHead = if case .page("HEAD", _) = request.asked { true } else { false }
        try? await request.channel.writeAndFlush(ByteBuffer(string: head + (isHead ? "" : page.text)))
        request.channel.close(promise: nil)
    }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 431: "Request Header Fields Too Large"
        default: "Service Unavailable"
        }
    }
}

/// One request, or what came in its place.
struct WatchRequest: Sendable {
    enum Asked: Sendable, Equatable {
        case page(method: String, path: String)
        case malformed, tooLong, busy
    }

    let asked: Asked
    let channel: any Channel
}

/// Reads the head of a connection's one request. What follows it is not read.
private final class WatchRequestReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let isBusy: Bool
    private let ask: (WatchRequest) -> Void
    private var head: [UInt8] = []
    private var isDone = false

    init(isBusy: Bool, ask: @escaping (WatchRequest) -> Void) {
        self.isBusy = isBusy
        self.ask = ask
    }

    func channelActive(context: ChannelHandlerContext) {
        if isBusy { finish(.busy, context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        head += Array(unwrapInboundIn(data).readableBytesView.prefix(WatchServer.headBytes + 1 - head.count))
        let text = String(decoding: head, as: UTF8.self)
        if text.contains("\r\n\r\n") {
            finish(Self.asked(text), context)
        } else if head.count > WatchServer.headBytes {
            finish(.tooLong, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func finish(_ asked: WatchRequest.Asked, _ context: ChannelHandlerContext) {
        isDone = true
        ask(WatchRequest(asked: asked, channel: context.channel))
    }

    private static func asked(_ head: String) -> WatchRequest.Asked {
        let words = head.prefix { $0 != "\r\n" }.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2].hasPrefix("HTTP/1."), words[1].hasPrefix("/") else { return .malformed }
        return .page(method: String(words[0]), path: String(words[1].prefix { $0 != "?" }))
    }
}
