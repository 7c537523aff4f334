import Foundation
import Glibc
import Postgres
import PricingTestSupport

/// A primary and its streaming standby, reached by Unix sockets only and gone with the test process.
///
/// A commit is acknowledged once the standby has it on disk: what was acknowledged outlives the primary.
final class ReplicatedPair: Sendable {
    /// A shell step did not succeed.
    struct Failed: Error {
        let text: String
    }

    /// One of the two servers.
    struct Server: Sendable {
        /// Holds `cluster`, `run` and `log`.
        let folder: String

        /// The superuser `postgres`, on this server whatever its role.
        var settings: ConnectionSettings {
            ConnectionSettings(keywords: ["host": folder + "/run", "user": "postgres", "dbname": "pricing"])
        }

        /// The process id of its postmaster; nil when it does not run.
        var postmaster: Int32? {
            let text = try? String(contentsOfFile: folder + "/cluster/postmaster.pid", encoding: .utf8)
            return text?.split(separator: "\n").first.flatMap { Int32($0) }
        }

        func connect() async throws -> PostgresConnection {
            var settings = settings
            settings.searchPath = "pricing, pricing_code"
            return try await PostgresConnection.open(settings, name: "pg test", logger: TestCluster.silence)
        }
    }

    let primary: Server
    let standby: Server
    /// A connection string of both, the standby first, so that a client has to look for the primary.
    var url: String {
        "host=\(standby.folder)/run,\(primary.folder)/run dbname=pricing user=postgres target_session_attrs=read-write"
    }

    private let temporary: TemporaryFolder

    /// Makes and starts both; returns once the standby is synchronous. The database `pricing` is empty.
    init() async throws {
        temporary = try TemporaryFolder()
        primary = Server(folder: temporary.path + "/one")
        standby = Server(folder: temporary.path + "/two")
        // The servers do not run as root, so they must get past this folder.
        unsafe chmod(temporary.path, 0o711)
        try await Self.shell(Self.making, temporary.path)
        let look = try await primary.connect()
        while try await look.text("select count(*)::text from pg_stat_replication where sync_state = 'sync'") != "1" {}
        await look.close()
    }

    /// Makes the standby the primary, and returns once it accepts writes.
    func promote() async throws {
        let connection = try await standby.connect()
        _ = try await connection.text("select pg_promote()::text")
        await connection.close()
    }

    private static let making = """
        set -e
        cd /
        export PATH="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1):$PATH" LC_ALL=C.UTF-8
        as_server() { "$@"; }
        if [ "$(id -u)" = 0 ]; then
            as_server() { setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; }
        fi
        start() {
            as_server pg_ctl start -w -D "$1/cluster" -l "$1/log" -o "-c unix_socket_directories=$1/run"
        }
        for server in "$1/one" "$1/two"; do
            mkdir -m 700 "$server" "$server/run"
            if [ "$(id -u)" = 0 ]; then chown -R postgres:postgres "$server"; fi
        done
        as_server initdb -D "$1/one/cluster" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync
        as_server tee -a "$1/one/cluster/postgresql.conf" <<END
        listen_addresses = ''
        fsync = off
        shared_buffers = 64MB
        wal_receiver_status_interval = 1s
        END
        start "$1/one"
        as_server createdb -h "$1/one/run" -U postgres pricing
        as_server pg_basebackup -h "$1/one/run" -U postgres -D "$1/two/cluster" -R -X stream -c fast --no-sync
        start "$1/two"
        as_server psql -h "$1/one/run" -U postgres -c "alter system set synchronous_standby_names = '*'" \\
            -c "select pg_reload_conf()"
        """

    private static func shell(_ script: String, _ folder: String) async throws {
        let program = try ChildProgram("/bin/sh", ["-c", script + "\n", "sh", folder])
        guard await program.exit() == 0 else { throw Failed(text: await program.errorText()) }
    }
}
