import CLibPQ
import Logging

/// A connection as seen on its own thread: every call blocks until the server has answered.
///
/// It is lent to a closure by ``PostgresConnection/run(_:)`` and must not leave it.
package final class Session {
    let link: Link
    private let control: ConnectionControl
    private var prepared: Set<String> = []
    /// The mode of the open transaction; nil without one.
    var transactionMode: TransactionMode?
    /// Whether a transaction is open, so that a lost statement was certainly not committed.
    var inTransaction: Bool { transactionMode != nil }

    init(control: ConnectionControl, logger: Logger) {
        self.control = control
        self.link = Link(control: control, logger: logger)
    }

    /// Tries each host in turn, with the full `connectTimeout` for each.
    /// - Returns: the attempt that succeeded.
    @discardableResult
    func connect(
        _ settings: ConnectionSettings,
        preferring preferred: ConnectionSettings? = nil
    ) throws(PostgresError) -> ConnectionSettings {
        prepared.removeAll()
        transactionMode = nil
        var failure = PostgresError(.connectionFailed, "no host is given")
        for attempt in settings.attempts(preferring: preferred) {
            do throws(PostgresError) {
                try link.connect(attempt)
                let first = attempt.firstCommands
                if !first.isEmpty { _ = try command(first) }
                return attempt
            } catch {
                if error.kind == .cancelled { throw error }
                failure = error
            }
        }
        throw failure
    }

    /// The server's version as a number, 150018 for 15.18; 0 when closed.
    package var serverVersion: Int { Int(link.serverVersion) }
    /// The connection's keywords as libpq resolved them, without the password.
    package var settings: ConnectionSettings { ConnectionSettings(keywords: link.resolvedKeywords) }

    /// Closes the connection; a pool drops it.
    package func close() {
        link.close()
    }

    /// The only row of a statement.
    /// - Throws: `.unexpectedRows` when there is none or more than one.
    package func one<Value>(
        _ statement: Statement<Value>,
        _ bindings: [Binding] = []
    ) throws(PostgresError) -> Value {
        let rows = try all(statement, bindings)
        guard let row = rows.first, rows.count == 1 else {
            throw PostgresError(.unexpectedRows, "\(rows.count) rows came, one was wanted", statement: statement.name)
        }
        return row
    }

    /// The first row of a statement, or nil.
    package func first<Value>(
        _ statement: Statement<Value>,
        _ bindings: [Binding] = []
    ) throws(PostgresError) -> Value? {
        try all(statement, bindings).first
    }

    /// Every row of a statement.
    package func all<Value>(
        _ statement: Statement<Value>,
        _ bindings: [Binding] = []
    ) throws(PostgresError) -> [Value] {
        let result = try execute(statement.name, statement.sql, bindings)
        var row = Row(result, statement: statement.name)
        return try row.decodeAll(statement.decode)
    }

    /// Runs a statement for its effect.
    /// - Returns: the number of rows in the server's command tag.
    @discardableResult
    package func run<Value>(
        _ statement: Statement<Value>,
        _ bindings: [Binding] = []
    ) throws(PostgresError) -> Int {
        try execute(statement.name, statement.sql, bindings).affectedRows
    }

    /// Runs SQL text of many statements, such as a migration; without its own BEGIN it is one transaction.
    /// - Parameter name: what errors call it.
    package func script(_ sql: String, name: String = "script") throws(PostgresError) {
        guard !sql.utf8.contains(0) else {
            throw PostgresError(.binding, "the script holds a NUL byte", statement: name)
        }
        try checkNotCancelled(name)
        try sending(name) { () throws(PostgresError) in
            try unsafe link.send { unsafe PQsendQuery($0, sql) }
            try link.flush()
            _ = try collect(name)
        }
    }

    /// Runs one of our own short commands.
    /// - Returns: the server's command tag.
    func command(_ sql: String) throws(PostgresError) -> String {
        try unsafe link.send { unsafe PQsendQuery($0, sql) }
        try link.flush()
        return try collect(sql).commandTag
    }

    /// The server's answers for a prepared statement that it does not have, or whose functions were replaced since.
    private static let saysStale: Set<SQLState?> = [.invalidStatementName, .featureNotSupported, .undefinedFunction]

    /// Prepares if need be and runs; when the server's plan turns out missing or stale, prepares and runs once more.
    private func execute(
        _ name: String,
        _ sql: String,
        _ bindings: [Binding]
    ) throws(PostgresError) -> ResultHandle {
        let parameters = try CStrings(bindings, statement: name)
        do throws(PostgresError) {
            return try executeOnce(name, sql, parameters)
        } catch {
            guard error.kind == .server, !inTransaction, link.transactionStatus == PQTRANS_IDLE,
                prepared.contains(name),
                Self.saysStale.contains(error.sqlState)
            else { throw error }
            prepared.remove(name)
            if error.sqlState != .invalidStatementName {
                try script("deallocate \"\(name)\"", name: "deallocate")
            }
        }
        return try executeOnce(name, sql, parameters)
    }

    private func executeOnce(
        _ name: String,
        _ sql: String,
        _ parameters: CStrings
    ) throws(PostgresError) -> ResultHandle {
        try checkNotCancelled(name)
        try prepare(name, sql)
        return try sending(name) { () throws(PostgresError) in
            try send(name, parameters)
            try link.flush()
            return try collect(name)
        }
    }

    /// The server ignores a cancel that arrives between two statements, so the next one is not sent after it.
    func checkNotCancelled(_ name: String) throws(PostgresError) {
        guard control.cancelRequested else { return }
        throw PostgresError(.cancelled, "cancelled before it was sent", statement: name)
    }

    /// Prepares a statement in the server, on its first use only: that costs a round trip.
    func prepare(_ name: String, _ sql: String) throws(PostgresError) {
        guard !prepared.contains(name) else { return }
        try unsafe link.send { unsafe PQsendPrepare($0, name, sql, 0, nil) }
        try link.flush()
        _ = try collect(name)
        prepared.insert(name)
    }

    /// Queues one prepared statement.
    func send(_ name: String, _ parameters: CStrings) throws(PostgresError) {
        try unsafe link.send { connection in
            unsafe parameters.withPointers { values in
                unsafe PQsendQueryPrepared(connection, name, Int32(parameters.count), values, nil, nil, 0)
            }
        }
    }

    /// Reads every result of what was sent; the last good one, or the first error.
    private func collect(_ name: String) throws(PostgresError) -> ResultHandle {
        var failure: PostgresError?
        var last: ResultHandle?
        while let result = try link.nextResult() {
            switch result.status {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                last = consume result
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                link.close()
                throw PostgresError(.connectionLost, "COPY is not supported", statement: name)
            default:
                let error = classified(result.error(statement: name))
                guard link.isOpen else { throw error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        guard let last else { throw PostgresError(.connectionLost, "no result came", statement: name) }
        return last
    }

    /// Gives a server's error its kind, and closes when the server has closed the connection or is about to.
    func classified(_ error: PostgresError) -> PostgresError {
        var error = error
        switch error.sqlState {
        case .queryCanceled:
            error.kind = control.cancelRequested ? .cancelled : .timeout
        case nil, .adminShutdown, .crashShutdown, .cannotConnectNow, .classConnectionException:
            error.kind = .connectionLost
            link.close()
        case .readOnlyTransaction where transactionMode != .snapshot:
            // This server is no longer the primary: the next connect looks for the new one.
            error.kind = .connectionLost
            link.close()
        default:
            break
        }
        return error
    }

    /// Runs something that may commit, and marks a loss after sending as an unknown outcome.
    ///
    /// A commit whose wait for its standby was cancelled is reported by the server as a success with a warning. It
    /// counts as a loss here: only the primary has it, and a failover may undo it.
    func sending<Value: ~Copyable>(
        _ name: String,
        commits: Bool = false,
        _ body: () throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        let mayCommit = commits || !inTransaction
        let wasOpen = link.isOpen
        link.gaveUpStandby = false
        do throws(PostgresError) {
            let value = try body()
            if mayCommit, link.gaveUpStandby {
                link.close()
                throw PostgresError(.connectionLost, "a commit was cancelled while it waited for its standby")
            }
            return value
        } catch {
            var error = error
            error.statement = name
            let isLost = error.kind == .connectionLost && wasOpen && error.sqlState != .readOnlyTransaction
            error.outcomeUnknown = error.outcomeUnknown || (isLost && mayCommit)
            throw error
        }
    }
}
