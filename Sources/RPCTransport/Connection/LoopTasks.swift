import NIOCore

/// An event loop as the place where a task goes on. A task that waits for a continuation goes on by way of Swift's pool
/// even when its actor lives on the loop, which costs two changes of threads; while it prefers this executor it does not.
final class LoopTasks: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in
            unsafe job.runSynchronously(
                isolatedTo: loop.executor.asUnownedSerialExecutor(),
                taskExecutor: asUnownedTaskExecutor()
            )
        }
    }
}
