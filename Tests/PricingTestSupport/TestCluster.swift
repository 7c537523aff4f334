import Foundation
package import Logging
package import Postgres
import Synchronization

/// One private cluster for all tests of a process, started when first asked for and gone after the process has ended.
package final class TestCluster: Sendable {
    /// Whether `PRICINGD_REQUIRE_POSTGRES=1` says that no test may be skipped for want of a server or of what it brings.
    package static let isRequired = ProcessInfo.processInfo.environment["PRICINGD_REQUIRE_POSTGRES"] == "1"

    /// Whether tests that need a server can run; true as well when they must, so that they fail rather than be skipped.
    package static let isAvailable = PrivateCluster.isAvailable || isRequired

    /// A logger that says nothing.
    package static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// What makes a cluster quick and small, with room for many tests at once, and unsafe for anything but tests.
    package static let quickSettings = [
        "fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "max_connections": "200",
    ]

    private static let started = Task { try await TestCluster() }

    /// The process's cluster.
    package static func shared() async throws -> TestCluster {
        try await started.value
    }

    /// Settings of the superuser `postgres`.
    package let settings: ConnectionSettings

    private let cluster: PrivateCluster
    private let folder: TemporaryFolder
    private let admin: PostgresConnection
    private let made = Atomic(0)

    private init() async throws {
        folder = try TemporaryFolder()
        cluster = try PrivateCluster(
            dataDirectory: folder.path + "/data",
            serverSettings: Self.quickSettings,
            logger: Self.silence
        )
        settings = try await cluster.start()
        admin = try await PostgresConnection.open(settings, name: "test admin", logger: Self.silence)
    }

    /// Makes a fresh database, empty or a copy of another to which nobody is connected.
    package func database(template: String? = nil) async throws -> TestDatabase {
        let name = "test_\(made.add(1, ordering: .relaxed).newValue)"
        let copy = template.map { " template \"\($0)\"" } ?? ""
        try await admin.run { session throws(PostgresError) in
            try session.script("create database \"\(name)\"\(copy)")
        }
        return TestDatabase(name: name, settings: settings.with("dbname", name), admin: admin)
    }
}

/// A database of one test.
package struct TestDatabase: Sendable {
    /// Its name, as for `template`.
    package let name: String
    /// Settings of the superuser `postgres` in this database.
    package let settings: ConnectionSettings

    fileprivate let admin: PostgresConnection

    /// Drops the database, cutting off whoever is connected.
    package func drop() async throws {
        try await admin.run { [name] session throws(PostgresError) in
            try session.script("drop database if exists \"\(name)\" with (force)")
        }
    }
}

/// A folder that goes away with its process, together with the daemons and any PostgreSQL server in it, even when the
/// process crashes.
///
/// A shell waits on a pipe that only we hold open: however we end, it reads the end of the pipe and cleans up.
package final class TemporaryFolder: Sendable {
    /// The folder, of mode 0700.
    package let path: String

    private let watchman: ChildProgram

    /// Makes the folder and starts its watchman.
    package init() throws {
        var template = Array("\(FileManager.default.temporaryDirectory.path)/pricing-test-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
        path = unsafe String(cString: made)
        let script = """
            trap '' INT TERM HUP
            pids=
            while read -r pid; do pids="$pids $pid"; done
            for pid in $pids; do
                grep -qsF "$1" "/proc/$pid/cmdline" && kill -KILL "$pid"
            done
            for file in "$1"/*/cluster/postmaster.pid; do
                [ -f "$file" ] && kill -QUIT "$(head -n 1 "$file")"
            done
            umount -l "$1"/* 2>/dev/null
            tries=0
            until rm -rf "$1" || [ "$tries" -gt 50 ]; do tries=$((tries + 1)); done
            """
        watchman = try ChildProgram("/bin/sh", ["-c", script, "sh", path])
    }

    /// Ends this process, whose arguments name the folder, before the folder goes, unless it has ended by itself.
    package func endWithFolder(_ pid: Int32) throws {
        try watchman.write(String(pid))
    }
}
