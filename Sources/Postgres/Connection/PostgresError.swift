/// What went wrong between us and a PostgreSQL server.
///
/// `description` shows no values: a server's message, detail and hint may quote rows, so they stay in their properties,
/// for logs at debug level.
package struct PostgresError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The family of a failure.
    package enum Kind: Sendable, Hashable {
        /// The server refused a statement; the connection can still be used.
        case server
        /// No connection could be made.
        case connectionFailed
        /// The connection broke while it was in use.
        case connectionLost
        /// The connection or the pool was closed by us.
        case closed
        /// We asked for the call to be cancelled.
        case cancelled
        /// The server ended the statement by itself (`statement_timeout`, or a cancel by another session), or our
        /// deadline passed.
        case timeout
        /// A connection string or keyword is not understood.
        case settings
        /// A parameter cannot be sent: it holds a NUL byte.
        case binding
        /// A column is missing, null or of another form than asked for.
        case decoding
        /// Exactly one row was asked for and another number came.
        case unexpectedRows
        /// The server answered COMMIT with ROLLBACK: a statement had failed and its error was ignored.
        case transactionAborted
        /// Every connection is busy and the queue of waiters is full.
        case poolExhausted
        /// The machine gave no thread or descriptor.
        case systemResources
        /// PostgreSQL's server programs are not installed.
        case serverProgramsMissing
        /// Another process holds the data folder; its process id when it could be read.
        case dataFolderInUse(holder: Int32?)
        /// Others could write in the data folder, or it is not ours.
        case untrusted
        /// The private cluster could not be made, started or reached.
        case clusterFailed
    }

    /// The family of the failure.
    package var kind: Kind
    /// The server's code; nil when the server did not answer.
    package var sqlState: SQLState?
    /// The violated constraint's name.
    package var constraint: String?
    /// The server's main message or ours; may hold values.
    package var message: String
    /// The server's DETAIL; may hold values, and is where PL/pgSQL's own errors carry their JSON.
    package var detail: String?
    /// The server's HINT, or our advice.
    package var hint: String?
    /// The name of the statement that failed.
    package var statement: String?
    /// True when something was sent that may or may not have been committed: ask by key before sending it again.
    package var outcomeUnknown: Bool

    /// An error that does not come from the server; `message` must hold no values.
    package init(
        _ kind: Kind,
        _ message: String,
        sqlState: SQLState? = nil,
        statement: String? = nil,
        outcomeUnknown: Bool = false
    ) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
        self.statement = statement
        self.outcomeUnknown = outcomeUnknown
    }

    /// Kind, code, constraint and statement name, and our own sentence where the text is ours.
    package var description: String {
        var text = "postgres \(kind)"
        if let sqlState { text += " \(sqlState.code)" }
        if let constraint { text += " constraint \(constraint)" }
        if let statement { text += " in \(statement)" }
        if outcomeUnknown { text += " (outcome unknown)" }
        if showsMessage { text += ": \(message)" }
        return text
    }

    private var showsMessage: Bool {
        switch kind {
        case .server, .connectionLost, .cancelled, .timeout, .settings: false
        case .connectionFailed, .closed, .binding, .decoding, .unexpectedRows, .transactionAborted, .poolExhausted,
            .systemResources, .serverProgramsMissing, .dataFolderInUse, .untrusted, .clusterFailed:
            true
        }
    }
}
