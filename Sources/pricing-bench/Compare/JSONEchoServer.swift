import Foundation
import NIOCore
import NIOPosix

/// The plainest JSON-RPC server that one would write with the libraries at hand: NIO, a line a request, Foundation's JSON,
/// and the parameters sent back as the result. No limits, no roles, no check of anything.
struct JSONEchoServer: Sendable {
    let path: String
    private let channel: any Channel

    /// Listens at `path`, on an event loop of this process.
    static func start(_ path: String) async throws -> JSONEchoServer {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(JSONEchoHandler())
                }
            }
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        return JSONEchoServer(path: path, channel: channel)
    }

    func close() async throws {
        try await channel.close()
    }
}

/// Gathers the replies to what was read in one turn, and sends them with one write.
private final class JSONEchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var input = ByteBuffer()
    private var output = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var piece = unwrapInboundIn(data)
        input.writeBuffer(&piece)
        while let length = input.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({ $0 - input.readerIndex }),
            let line = input.readBytes(length: length)
        {
            input.moveReaderIndex(forwardBy: 1)
            do {
                try answer(Data(line))
            } catch {
                return context.close(promise: nil)
            }
        }
        input.discardReadBytes()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard output.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        output.clear()
    }

    private func answer(_ line: Data) throws {
        guard let request = try JSONSerialization.jsonObject(with: line) as? [String: Any],
            let id = request["id"] as? Int
        else { throw CocoaError(.propertyListReadCorrupt) }
        let result = try JSONSerialization.data(withJSONObject: request["params"] ?? [String: Any]())
        output.writeString("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"result\":")
        output.writeBytes(result)
        output.writeString("}\n")
    }
}
