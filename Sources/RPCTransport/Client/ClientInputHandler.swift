import JSON
import JSONRPC
import NIOCore

/// Cuts what the server sends into messages.
final class ClientInputHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let client: RPCClient
    private let limits: TransportLimits
    private var framer: LineFramer

    init(_ client: RPCClient, lineLimit: Int) {
        self.client = client
        framer = LineFramer(limit: lineLimit)
        var limits = TransportLimits()
        limits.nesting = JSONParser.deepestNesting
        limits.batch = .max
        self.limits = limits
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        framer.feed(unwrapInboundIn(data).readableBytesView)
        while let item = framer.next() {
            switch item {
            case .line(let line): client.receive(Message(line: line.span, limits: limits), line)
            case .oversize: client.fail(RPCClientError.malformedReply)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
