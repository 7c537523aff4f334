import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import RPCTransport

struct LoopTasksTests {
    /// Reads pieces on the loop and notes each.
    private actor Reader {
        let loop: any EventLoop
        let inbox: Inbox
        let notes: @Sendable (String) -> Void

        nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

        init(_ loop: any EventLoop, _ inbox: Inbox, notes: @escaping @Sendable (String) -> Void) {
            self.loop = loop
            self.inbox = inbox
            self.notes = notes
        }

        func read() async {
            let tasks = LoopTasks(loop)
            while let piece = await withTaskExecutorPreference(tasks, operation: { await inbox.next() }) {
                notes("read \(piece.readableBytes)")
            }
        }
    }

    /// Runs after so many turns of the loop, which are over before another thread could have had a part.
    private static func after(_ turns: Int, on loop: any EventLoop, _ body: @escaping @Sendable () -> Void) {
        loop.execute { turns == 0 ? body() : after(turns - 1, on: loop, body) }
    }

    @Test
    func `A piece is read within a few turns of the loop, so without another thread between`() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let inbox = Inbox()
        let notes = Mutex<[String]>([])
        let reader = Reader(loop, inbox) { note in notes.withLock { $0.append(note) } }
        async let reading: Void = reader.read()
        for round in 1...100 {
            await withCheckedContinuation { done in
                loop.execute {
                    inbox.put(ByteBuffer(repeating: 0, count: round))
                    Self.after(4, on: loop) {
                        notes.withLock { $0.append("after \(round)") }
                        done.resume()
                    }
                }
            }
        }
        try await loop.submit { inbox.end() }.get()
        await reading
        // The first pieces may come before the reader.
        let expected = (50...100).flatMap { ["read \($0)", "after \($0)"] }
        #expect(notes.withLock { Array($0.suffix(expected.count)) } == expected)
    }
}
