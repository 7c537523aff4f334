import Glibc

/// One job on a thread of its own that ends with it.
enum ReadingThread {
    private final class Job {
        let work: @Sendable () -> Void

        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }

    /// False when the system has no thread to give; then `work` does not run.
    static func start(_ work: @escaping @Sendable () -> Void) -> Bool {
        let job = unsafe Unmanaged.passRetained(Job(work))
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread,
            nil,
            { context in
                if let context = unsafe context { unsafe Unmanaged<Job>.fromOpaque(context).takeRetainedValue().work() }
                return nil
            },
            unsafe job.toOpaque()
        )
        guard failure == 0 else {
            unsafe job.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
