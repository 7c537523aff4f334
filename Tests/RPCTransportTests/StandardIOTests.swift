import Foundation
import Glibc
import JSON
import Logging
import Testing

@testable import RPCTransport

@Suite(.timeLimit(.minutes(1))) struct StandardIOTests {
    private func serve(input: Int32, output: Int32) async throws {
        let server = RPCServer(
            listener: .standardIO(StandardIO(input: input, output: output)),
            service: EchoService(),
            logger: Logger(label: "test")
        )
        try await server.run()
    }

    private func pipePair() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    @Test func `pipes: the end of input drains and returns`() async throws {
        let requests = try pipePair()
        let replies = try pipePair()
        let lines = (0..<200).map { request(.integer($0), "big", ["bytes": 5000]) + "\n" }.joined()
        DispatchQueue.global().async {
            FileHandle(fileDescriptor: requests.write, closeOnDealloc: true).write(Data(lines.utf8))
        }
        async let served: Void = serve(input: requests.read, output: replies.write)
        let (bytes, continuation) = AsyncStream.makeStream(of: Data.self)
        Thread {
            continuation.yield(FileHandle(fileDescriptor: replies.read, closeOnDealloc: true).readDataToEndOfFile())
            continuation.finish()
        }.start()
        var data = Data()
        for await piece in bytes { data += piece }
        try await served
        let ids = try data.split(separator: UInt8(ascii: "\n")).map {
            try JSONParser.parse(Array($0))["id"]?.integer ?? -1
        }
        #expect(ids.sorted() == Array(0..<200))
    }

    @Test func `regular files and the null device`() async throws {
        try await withFolder { folder in
            let text = request(1, "echo") + "\n" + request(2, "nothing.such")
            try Data(text.utf8).write(to: URL(filePath: folder + "/in"))
            let output = unsafe open(folder + "/out", O_CREAT | O_WRONLY, 0o600)
            try await unsafe serve(input: open(folder + "/in", O_RDONLY), output: output)
            let replies = try String(contentsOfFile: folder + "/out", encoding: .utf8)
            #expect(replies.split(separator: "\n").count == 2)
            #expect(replies.contains(#"{"jsonrpc":"2.0","id":1,"result":{}}"#))
            try await unsafe serve(input: open("/dev/null", O_RDONLY), output: open("/dev/null", O_WRONLY))
        }
    }

    @Test func `a reader that goes away ends it`() async throws {
        let requests = try pipePair()
        let replies = try pipePair()
        close(replies.read)
        let line = Array((request(1, "echo") + "\n").utf8)
        #expect(unsafe write(requests.write, line, line.count) == line.count)
        try await serve(input: requests.read, output: replies.write)
        close(requests.write)
    }

    @Test func `cancelling ends it while input is open`() async throws {
        let requests = try pipePair()
        let replies = try pipePair()
        await withTaskGroup { group in
            group.addTask { try? await serve(input: requests.read, output: replies.write) }
            group.cancelAll()
            await group.waitForAll()
        }
        close(requests.write)
        close(replies.read)
    }

    @Test func `a connected socket is served`() async throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let line = Array((request(1, "echo") + "\n").utf8)
        #expect(unsafe write(ends[1], line, line.count) == line.count)
        #expect(shutdown(ends[1], Int32(SHUT_WR)) == 0)
        let server = RPCServer(
            listener: .connected(descriptor: ends[0]),
            service: EchoService(),
            logger: Logger(label: "test")
        )
        try await server.run()
        var reply = [UInt8](repeating: 0, count: 1000)
        let count = unsafe read(ends[1], &reply, reply.count)
        #expect(
            String(decoding: reply.prefix(max(count, 0)), as: UTF8.self) == #"{"jsonrpc":"2.0","id":1,"result":{}}"#
                + "\n"
        )
        close(ends[1])
    }
}
