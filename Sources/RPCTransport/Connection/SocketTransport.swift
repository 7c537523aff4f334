import NIOCore

/// The transport over a socket of SwiftNIO.
struct SocketTransport: ByteTransport {
    /// How long a peer may go on sending after we have ended the connection, before the socket is closed.
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
                // In a later turn of the loop: what is added until then is written together, without recursion.
                wakeWriter(of: outbox)
            }
        case .end(let lingers):
            guard lingers else { return channel.close(promise: nil) }
            // Closing a socket with unread input resets the connection, and the peer may lose our last line by it.
            channel.close(mode: .output, promise: nil)
            channel.read()
            channel.eventLoop.scheduleTask(in: SocketTransport.linger) { abort() }
        }
    }
}

/// Hands what a socket receives to its connection.
final class SocketInputHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// How often a connection is read whose calls are refused for want of room.
    private static let gathering = UInt64(TimeAmount.milliseconds(2).nanoseconds)

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
        guard connection.inbox.wantsMore else { return }
        guard connection.wasRefused else { return context.read() }
        // Under overload lines gather, and then cost one turn of the loop for many of them, of all its connections: the
        // processor is for the calls that were taken.
        let turn = (NIODeadline.now().uptimeNanoseconds / Self.gathering + 1) * Self.gathering
        let channel = context.channel
        context.eventLoop.scheduleTask(deadline: .uptimeNanoseconds(turn)) { channel.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else { return context.fireUserInboundEventTriggered(event) }
        // After we ended the input ourselves it was read on only until the peer has finished.
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
