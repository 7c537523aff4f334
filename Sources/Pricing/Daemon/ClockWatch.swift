import CLinux
import Dispatch
import Glibc
import Logging
import ServiceLifecycle

/// Notices that the machine's clock of the day was set, so that what is due by it is looked at again: a sleep runs by
/// another clock, and would end as late as the clock was set forward.
struct ClockWatch: Service {
    let logger: Logger
    let changed: @Sendable () -> Void

    func run() async {
        let timer = timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
        guard timer >= 0 else {
            logger.warning("no timer for the clock; once it is set the tick may come up to an hour late")
            try? await gracefulShutdown()
            return
        }
        Self.arm(timer)
        let source = DispatchSource.makeReadSource(fileDescriptor: timer, queue: .global())
        source.setEventHandler {
            var ended: UInt64 = 0
            guard unsafe read(timer, &ended, MemoryLayout.size(ofValue: ended)) < 0, errno == ECANCELED else { return }
            Self.arm(timer)
            changed()
        }
        source.setCancelHandler { close(timer) }
        source.resume()
        try? await gracefulShutdown()
        source.cancel()
    }

    /// A time that never comes: the timer only ends by a change of its clock.
    private static func arm(_ timer: Int32) {
        var never = itimerspec()
        never.it_value.tv_sec = .max
        let flags = Int32(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)
        _ = unsafe timerfd_settime(timer, flags, &never, nil)
    }
}
