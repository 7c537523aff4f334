import Glibc
import JSONRPC
import NIOCore
import Synchronization

/// One descriptor held in reserve. When the process has none left, it is closed so that one more peer can be accepted,
/// told the reason and disconnected. A peer that stayed in the queue would keep the event loop busy.
final class SpareDescriptor: Sendable {
    private let descriptor = Mutex<Int32>(-1)

    init() {
        restore()
    }

    deinit {
        spend()
    }

    /// Whether the process is out of descriptors; `restore` once one is free again.
    var isSpent: Bool { descriptor.withLock { $0 < 0 } }

    /// Closes the reserve.
    func spend() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { _ = close(descriptor) }
            descriptor = -1
        }
    }

    /// Opens a reserve again, if it was closed and the system allows it.
    func restore() {
        descriptor.withLock { descriptor in
            if descriptor < 0 { descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }
        }
    }

    /// The last descriptors are no peer's. Reconnecting to the database, reading `/proc` and looking up groups take some,
    /// and Swift's thread pool ends the process when it can open none under load.
    private static let kept = 32

    /// Whether an accepted peer has one of the last descriptors. The system gives the lowest that is free.
    static func isKept(_ descriptor: CInt) -> Bool {
        let most = sysconf(Int32(_SC_OPEN_MAX))
        return most > 0 && Int(descriptor) >= most - min(kept, most / 8)
    }

    /// The error for a peer that was accepted on the reserve or has one of the last descriptors.
    static var refusal: RPCError {
        .resourceExhausted(which: "descriptors", value: sysconf(Int32(_SC_OPEN_MAX)), retryAfterMs: RetryAfter.full)
    }
}

/// Spends the reserve when a peer cannot be accepted because no descriptor is left.
final class DescriptorShortageHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let spare: SpareDescriptor

    init(_ spare: SpareDescriptor) {
        self.spare = spare
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, error.errnoCode == EMFILE || error.errnoCode == ENFILE { spare.spend() }
        context.fireErrorCaught(error)
    }
}
