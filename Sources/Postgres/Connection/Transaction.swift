import CLibPQ

extension Session {
    /// How a transaction is isolated from others.
    package enum TransactionMode: Sendable {
        /// READ COMMITTED, for writes.
        case readWrite
        /// One snapshot for several reads; writes are refused.
        case snapshot

        var begin: String {
            switch self {
            case .readWrite: "begin isolation level read committed read write"
            case .snapshot: "begin isolation level repeatable read read only"
            }
        }
    }

    /// Runs `body` in a transaction: COMMIT when it returns, ROLLBACK when it throws. Not to be nested.
    /// - Throws: what `body` threw; `.transactionAborted` when `body` ignored a failed statement;
    ///   with `outcomeUnknown` when the connection was lost during COMMIT.
    package func transaction<Value>(
        _ mode: TransactionMode = .readWrite,
        _ body: (Session) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        let value = try begun(mode, body)
        defer { transactionMode = nil }
        let tag = try sending("commit", commits: true) { () throws(PostgresError) in try command("commit") }
        guard tag == "COMMIT" else {
            throw PostgresError(.transactionAborted, "a failed statement's error was swallowed")
        }
        return value
    }

    /// Runs `body` in a transaction that is always rolled back: a dry run.
    package func rollingBack<Value>(
        _ body: (Session) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        let value = try begun(.readWrite, body)
        rollback()
        return value
    }

    private func begun<Value>(
        _ mode: TransactionMode,
        _ body: (Session) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        precondition(!inTransaction, "transactions do not nest")
        transactionMode = mode
        do throws(PostgresError) {
            _ = try command(mode.begin)
            return try body(self)
        } catch {
            rollback()
            throw error
        }
    }

    /// Rolls back; a connection on which that fails is closed, which rolls back too.
    func rollback() {
        defer { transactionMode = nil }
        guard link.isOpen, link.transactionStatus != PQTRANS_IDLE else { return }
        do throws(PostgresError) {
            _ = try command("rollback")
        } catch {
            link.close()
        }
    }
}
