import Glibc

/// One thread that runs an actor's jobs in order, so that blocking calls never sit on Swift's cooperative pool.
///
/// The thread lives until `finish()`, which the actor calls when it is deinitialised: no job can follow.
@safe final class ConnectionThread: SerialExecutor, @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [(job: UnownedJob, tasks: ThreadTasks?)] = []
    private var finished = false

    /// Starts the thread; its name is cut to 15 bytes by the system.
    init(name: String) throws(PostgresError) {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
        try startThread(named: name) { self.work() }
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        add(UnownedJob(job), by: nil)
    }

    /// Adds a job at the end.
    /// - Parameter tasks: what the job's task prefers to run on, if it came that way.
    fileprivate func add(_ job: UnownedJob, by tasks: ThreadTasks?) {
        unsafe pthread_mutex_lock(mutex)
        jobs.append((job, tasks))
        unsafe pthread_mutex_unlock(mutex)
        // After the unlock: the thread would otherwise wake only to wait for the mutex.
        unsafe pthread_cond_signal(condition)
    }

    /// Lets the thread end once its queue is empty.
    func finish() {
        unsafe pthread_mutex_lock(mutex)
        finished = true
        unsafe pthread_mutex_unlock(mutex)
        unsafe pthread_cond_signal(condition)
    }

    private func work() {
        while let batch = nextJobs() {
            for (job, tasks) in batch {
                guard let tasks else {
                    unsafe job.runSynchronously(on: asUnownedSerialExecutor())
                    continue
                }
                unsafe job.runSynchronously(
                    isolatedTo: asUnownedSerialExecutor(),
                    taskExecutor: tasks.asUnownedTaskExecutor()
                )
            }
        }
    }

    /// Blocks until there is work; nil when finished.
    private func nextJobs() -> [(job: UnownedJob, tasks: ThreadTasks?)]? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while jobs.isEmpty {
            if finished { return nil }
            unsafe pthread_cond_wait(condition, mutex)
        }
        let batch = jobs
        jobs.removeAll(keepingCapacity: false)
        return batch
    }
}

/// Lets a task continue on the thread. A task that is resumed from a continuation passes through Swift's pool first, even
/// when its actor runs on this thread, which costs a change of threads. With this preference it does not.
final class ThreadTasks: TaskExecutor {
    private let thread: ConnectionThread

    init(_ thread: ConnectionThread) {
        self.thread = thread
    }

    func enqueue(_ job: consuming ExecutorJob) {
        thread.add(UnownedJob(job), by: self)
    }
}
