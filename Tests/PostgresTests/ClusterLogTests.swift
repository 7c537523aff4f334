import Foundation
import Postgres
import PricingTestSupport
import Testing

/// The log of a private cluster's server, which would grow for ever.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer), .timeLimit(.minutes(2)))
struct ClusterLogTests {
    @Test func `a long log is moved aside while the server writes, and the server goes on in the same file`()
        async throws
    {
        let folder = try TemporaryFolder()
        let log = folder.path + "/data/" + PrivateCluster.log
        let cluster = try PrivateCluster(
            dataDirectory: folder.path + "/data",
            serverSettings: TestCluster.quickSettings,
            logger: TestCluster.silence
        )
        let settings = try await cluster.start()
        let connection = try await PostgresConnection.open(settings, logger: TestCluster.silence)
        func complain(_ text: String) async throws {
            try await connection.run { (session) throws(PostgresError) in
                try session.script("do $$ begin raise log '\(text)'; end $$", name: "complain")
            }
        }
        func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
        try await complain("the first")
        try await cluster.trimLog()
        #expect(try text(log).contains("the first"), "a short log stays")
        #expect(!FileManager.default.fileExists(atPath: log + ".1"))

        let file = try FileHandle(forWritingTo: URL(filePath: log))
        try file.seekToEnd()
        try file.write(contentsOf: Data(repeating: UInt8(ascii: "a"), count: 17 << 20))
        try file.close()
        try await cluster.trimLog()
        #expect(try text(log).isEmpty)
        #expect(try text(log + ".1").contains("the first") && text(log + ".1").utf8.count > 17 << 20)
        try await complain("the second")
        #expect(try text(log).contains("the second") && text(log).utf8.count < 10_000)
        await connection.close()
        await cluster.stop()
    }
}
