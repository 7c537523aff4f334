/// Somebody else's psql on a daemon's database: a session that may keep a transaction open.
package final class Psql: Sendable {
    private let program: ChildProgram

    /// - Parameter settings: where and as whom, as `server.status` tells it.
    package init(host: String, port: Int64, database: String, user: String) throws {
        program = try ChildProgram(
            "/usr/bin/env",
            [
                "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
                "--host", host, "--port", String(port), "--username", user, database,
            ]
        )
    }

    deinit {
        program.signal(15)
    }

    /// Runs SQL and waits until it is done: the lines that it printed.
    @discardableResult
    package func run(_ sql: String) async throws -> [String] {
        try program.write("\(sql);\n\\echo -done-")
        var lines: [String] = []
        while let line = await program.line() {
            if line == "-done-" { return lines }
            lines.append(line)
        }
        throw TestDaemon.NotReady(text: await program.errorText())
    }
}
