import CLibPQ
import Glibc

/// Starts a detached thread with every signal blocked, since the executable handles signals on other threads.
/// - Throws: `.systemResources` when no thread can be started.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(PostgresError) {
    let box = ThreadBody(name: name, body: body)
    let context = unsafe Unmanaged.passRetained(box)
    var thread = pthread_t()
    let failure = unsafe pthread_create(
        &thread,
        nil,
        { context in
            guard let context = unsafe context else { return nil }
            let box = unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
            var signals = sigset_t()
            unsafe sigfillset(&signals)
            unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
            unsafe pthread_setname_np(pthread_self(), String(box.name.prefix(15)))
            box.body()
            return nil
        },
        context.toOpaque()
    )
    guard failure == 0 else {
        unsafe context.release()
        throw PostgresError(.systemResources, "no thread could be started (error \(failure))")
    }
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
