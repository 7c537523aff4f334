import ArgumentParser
import FileTrust
import Glibc
import JSON
import JSONRPC
import Logging
import Postgres
import Pricing
import PricingProtocol
import RPCTransport

/// `pricingd doctor`: looks at everything that a daemon needs, and says what to do about what it lacks.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check configuration, socket, lock, database and schema, and say what to do."
    )

    @OptionGroup var options: CommonOptions

    @Option(help: "Where the daemon listens.")
    var socket: String?

    func run() async throws {
        var report = Report()
        let path = SocketPath.ofServer(explicit: socket)
        let isServing = await checkDaemon(path, &report)
        let source = try await DatabaseChoice.make(options)
        switch source {
        case .privateCluster(let folder, _):
            checkFolder(folder, isServing: isServing, &report)
            report.note(
                PrivateCluster.isAvailable,
                "PostgreSQL's server programs are installed",
                otherwise: "PostgreSQL's server programs are missing: apt-get install postgresql"
            )
            if !isServing { report.note("no daemon serves, so the private cluster is left asleep") }
        case .configured(let settings):
            await checkDatabase(settings, options.logger(), &report)
        }
        if report.hasFailed { throw Exit.configuration }
    }

    private func checkDaemon(_ path: String, _ report: inout Report) async -> Bool {
        report.note("socket \(path)")
        report.note(
            path.utf8.count <= ListeningSocket.longestPath,
            "its path fits a socket address",
            otherwise:
                "its path is longer than \(ListeningSocket.longestPath) bytes: choose a shorter one with --socket"
        )
        do {
            let client = try await RPCClient.connect(socket: path)
            let status = try await client.call("server.status", timeout: Self.patience)
            report.note("a daemon answers: version \(status["version"]?.string ?? "?")")
            let database = status["database"]
            report.note(
                "its database: \(database?["kind"]?.string ?? "?"), psql -h \(database?["host"]?.string ?? "?")"
                    + " -p \(database?["port"]?.integer ?? 0) -U \(database?["user"]?.string ?? "?")"
                    + " -d \(database?["name"]?.string ?? "?")"
            )
            let automation = status["automation"]
            if automation?["halted"] == true { report.note("automation is halted: no price moves by itself") }
            for failing in automation?["failing"]?.array ?? [] {
                report.note(
                    "product \(failing["productId"]?.integer ?? 0) cannot be priced: \(failing["reason"]?.string ?? "?")"
                )
            }
            await client.close()
            return true
        } catch {
            report.note("tried to connect there and to call server.status: \(Self.reason(error))")
            report.note(Self.advice(error))
            return false
        }
    }

    /// How long a daemon may take to say how it is.
    private static let patience = Duration.seconds(5)

    private static func reason(_ error: any Error) -> String {
        if let error = error as? RPCError { "the daemon refused: \(error.message)" } else { "\(error)" }
    }

    /// What to do about a daemon that did not answer.
    private static func advice(_ error: any Error) -> String {
        switch error {
        case RPCClientError.cannotConnect(_, EACCES):
            "run this as the daemon's user, or let your group in with its option --operator-group or --viewer-group"
        case RPCClientError.cannotConnect:
            "start one with pricingd, or name the socket of one that runs with --socket or PRICINGD_SOCKET"
        case RPCClientError.notTrusted:
            "stop what serves there, or name another socket with --socket or PRICINGD_SOCKET"
        default:
            "look into the daemon's log; if it stays like this, stop it and start it again"
        }
    }

    private func checkFolder(_ folder: String, isServing: Bool, _ report: inout Report) {
        var facts = stat()
        guard unsafe stat(folder, &facts) == 0 else {
            report.note("data folder \(folder) is not there yet; the first start makes it")
            return
        }
        do throws(Distrust) {
            close(try TrustedFile.openFolder(folder, .link))
            report.note("data folder \(folder): it is ours")
        } catch {
            guard case .foreign = error else { return report.fail("data folder \(error)") }
            // As when root looks at a service: its daemon is another user's, and may be well.
            isServing ? report.note("data folder \(error)") : report.fail("data folder \(error)")
            report.note("run this as its owner to look further: runuser -u OWNER -- pricingd doctor")
        }
    }

    private func checkDatabase(_ settings: ConnectionSettings, _ logger: Logger, _ report: inout Report) async {
        do throws(PostgresError) {
            let (_, owner, _) = try await DatabaseHost.reach(.configured(settings), logger: logger)
            let connection = try await PostgresConnection.open(owner, name: "pg doctor", logger: logger)
            report.note("the database answers: \(settings)")
            do throws(Migrator.Failure) {
                let plan = try await Migrator.migrate(connection, isDryRun: true)
                report.note(
                    plan.isEmpty,
                    "its schema is this binary's",
                    otherwise: "it lacks \(plan.steps.joined(separator: ", ")): run pricingd migrate"
                )
            } catch {
                report.fail("its schema cannot be used: \(error)")
            }
            await connection.close()
        } catch {
            report.fail("the database does not answer: \(error)")
        }
    }

    /// What was found, printed as it is found.
    private struct Report {
        private(set) var hasFailed = false

        mutating func note(_ text: String) {
            print("  \(text)")
        }

        mutating func note(_ isWell: Bool, _ text: String, otherwise trouble: String) {
            isWell ? note(text) : fail(trouble)
        }

        mutating func fail(_ trouble: String) {
            hasFailed = true
            print("! \(trouble)")
        }
    }
}
