import NIOCore

/// A socket of SwiftNIO as transport.
struct SocketTransport: ByteTransport {
    /// How long a peer that was sent away may go on sending before the socket is closed under it.
    private static let linger = TimeAmount.seconds(1)

    let channel: any Channel

    var loop: any EventLoop { channel.eventLoop }

    func resumeReading() {
        channel.read()
    }

    func wakeWriter(of outbox: Outbox) {
        channel.eventLoop.execute { write(from: outbox) }
    }

    func abort() {
        channel.close(promise: nil)
    }

    var isPatient: Bool { false }

    private func write(from outbox: Outbox) {
        switch outbox.next() {
        case .idle:
            break
        case .write(let pieces, let count):
            for piece in pieces.dropLast() {
                channel.write(piece, promise: nil)
            }
            guard let last = pieces.last else { return }
            channel.writeAndFlush(last).whenComplete { _ in
                outbox.wrote(count)
                // In a turn of its own: what gathers until then leaves together, and the stack stays flat.
                wakeWriter(of: outbox)
            }
        case .end(let lingers):
            guard lingers else { return channel.close(promise: nil) }
            // Closing a socket that holds unread input would reset the peer before it has read why.
            channel.close(mode: .output, promise: nil)
            channel.read()
            channel.eventLoop.scheduleTask(in: SocketTransport.linger) { abort() }
        }
    }
}

/// Hands what a socket receives to its connection.
final class SocketInputHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: RPCConnection

    init(_ connection: RPCConnection) {
        self.connection = connection
    }

    func channelActive(context: ChannelHandlerContext) {
        context.read()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.inbox.put(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if connection.inbox.wantsMore { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        // Input that we had ended ourselves was only read on to let the peer finish.
        if connection.inbox.hasEnded, connection.outbox.hasEnded { context.close(promise: nil) }
        connection.inbox.end()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.transportClosed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
