import Glibc
import JSON
import RPCTransport
import Subprocess
import SystemPackage

/// The database of a daemon of our own, seen from beside the daemon: by pgbench and psql, with the scripts inside
/// `pricingd`.
struct BenchDatabase: Sendable {
    /// A script inside `pricingd`, by name.
    enum Script: String {
        case orders, prices, shop, history, tables, footprint
        case thinShop = "thin_shop"
        case thinOrders = "thin_orders"

        var name: String { "bench/\(rawValue).sql" }
    }

    /// What pgbench and psql are told to find it, but the role and the name.
    private let host: [String]
    let user: String
    private var name: String
    private let programs: String
    private let pricingd: String
    private let folder: WorkFolder

    /// Asks the daemon where its database is.
    init(_ daemon: BenchDaemon.Running, _ folder: WorkFolder) async throws {
        let client = try await RPCClient.connect(socket: daemon.socket)
        let database = try await client.call("server.status")["database"]
        await client.close()
        host = ["-h", database?["host"]?.string ?? "", "-p", "\(database?["port"]?.integer ?? 5432)"]
        user = database?["user"]?.string ?? ""
        name = database?["name"]?.string ?? ""
        programs = try Self.find(version: database?["version"]?.string ?? "")
        pricingd = daemon.program
        self.folder = folder
    }

    /// The thin shop's database, of the same server; `thin_shop.sql` makes it.
    var thin: BenchDatabase {
        var other = self
        other.name = "thin"
        return other
    }

    /// Runs pgbench on a script, every statement prepared, as the daemon's own role: what it prints.
    func pgbench(_ script: Script, _ arguments: [String]) async throws -> String {
        let file = try await file(script)
        let all = ["-n", "-M", "prepared", "-f", file] + arguments + host + ["-U", user, name]
        return try await said("\(programs)/pgbench", all)
    }

    /// Runs psql on a script, as the superuser of the private cluster: the rows that it prints.
    /// - Parameter variables: what the script leaves to its caller, by name.
    func psql(_ script: Script, _ variables: [String: String] = [:]) async throws -> [[String]] {
        let file = try await file(script)
        let text = try await said(
            "\(programs)/psql",
            ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "-f", file]
                + variables.map { "--set=\($0)=\($1)" } + host + ["-U", "postgres", name]
        )
        return text.split(separator: "\n").map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).map { String($0) }
        }
    }

    private func file(_ script: Script) async throws -> String {
        let text = try await said(pricingd, ["scripts", "show", script.name])
        return try folder.write("\(script.rawValue).sql", text)
    }

    /// The folder of the programs of this version's server, else the one on PATH.
    private static func find(version: String) throws(BenchFailure) -> String {
        let major = version.prefix { $0 != "." }
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
        let folders = ["/usr/lib/postgresql/\(major)/bin"] + path.split(separator: ":").map { String($0) }
        guard let folder = folders.first(where: { unsafe access("\($0)/pgbench", X_OK) == 0 }) else {
            throw .programFailed("pgbench", said: "it is not installed (apt-get install postgresql)")
        }
        return folder
    }
}

/// Runs a program to its end: what it prints.
/// - Throws: `.programFailed` when it does not end well.
private func said(_ program: String, _ arguments: [String]) async throws -> String {
    let outcome = try await Subprocess.run(
        .path(FilePath(program)),
        arguments: Arguments(arguments),
        environment: childEnvironment,
        output: .string(limit: 1 << 20),
        error: .string(limit: 1 << 20)
    )
    guard outcome.terminationStatus.isSuccess else {
        throw BenchFailure.programFailed(program, said: outcome.standardError)
    }
    return outcome.standardOutput
}
