import NIOCore

/// Lets a task continue on an event loop. A task that is resumed from a continuation passes through Swift's pool first,
/// even when its actor runs on the loop, which costs two changes of threads. With this preference it does not.
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
