import CLibPQ

extension Session {
    /// Runs many statements with one flush, each committed by itself.
    ///
    /// Each has a Sync of its own, so one that fails takes no other with it, and its result is read up to that Sync
    /// before it counts: an OK alone is no acknowledgement. Not inside a transaction.
    /// - Returns: one result a call, in order; after a lost connection the rest are errors with `outcomeUnknown`.
    package func pipeline<Value>(_ calls: [(Statement<Value>, [Binding])]) -> [Result<[Value], PostgresError>] {
        precondition(!inTransaction, "a pipeline of separate commits cannot run inside a transaction")
        return pipelined(calls, syncEach: true)
    }

    /// Runs many statements with one flush and one Sync: all are committed, or none.
    /// - Throws: the first failure; `outcomeUnknown` when the connection was lost.
    package func pipelineTransaction<Value>(
        _ calls: [(Statement<Value>, [Binding])]
    ) throws(PostgresError) -> [[Value]] {
        var values: [[Value]] = []
        for result in pipelined(calls, syncEach: false) {
            values.append(try result.get())
        }
        return values
    }

    private func pipelined<Value>(
        _ calls: [(Statement<Value>, [Binding])],
        syncEach: Bool
    ) -> [Result<[Value], PostgresError>] {
        guard !calls.isEmpty else { return [] }
        do throws(PostgresError) {
            var parameters: [CStrings] = []
            for (statement, bindings) in calls {
                parameters.append(try CStrings(bindings, statement: statement.name))
                try prepare(statement.name, statement.sql)
            }
            try unsafe link.send { unsafe PQenterPipelineMode($0) }
            return try sendAll(calls, parameters, syncEach: syncEach)
        } catch {
            return calls.map { _ in .failure(error) }
        }
    }

    private func sendAll<Value>(
        _ calls: [(Statement<Value>, [Binding])],
        _ parameters: [CStrings],
        syncEach: Bool
    ) throws(PostgresError) -> [Result<[Value], PostgresError>] {
        try sending("pipeline") { () throws(PostgresError) in
            for (index, call) in calls.enumerated() {
                try send(call.0.name, parameters[index])
                if syncEach || index == calls.count - 1 { try unsafe link.send { unsafe PQpipelineSync($0) } }
            }
            try link.flush()
        }
        var results: [Result<[Value], PostgresError>] = []
        for (index, call) in calls.enumerated() {
            do throws(PostgresError) {
                try sending(call.0.name) { () throws(PostgresError) in
                    var result = try readOne(call.0)
                    if syncEach || index == calls.count - 1, let refused = try readSync(call.0.name) {
                        result = .failure(refused)
                    }
                    results.append(result)
                }
            } catch {
                let lost = (index..<calls.count).map { _ in Result<[Value], PostgresError>.failure(error) }
                return (syncEach ? results : results.map { _ in .failure(error) }) + lost
            }
        }
        // Everything was read, so this can only fail by closing the connection, which takes no result back.
        do throws(PostgresError) {
            try unsafe link.send { unsafe PQexitPipelineMode($0) }
        } catch {
            link.close()
        }
        return syncEach ? results : allOrNone(results)
    }

    /// One statement's rows or its error; decoding happens here, the statement may still fail to commit.
    private func readOne<Value>(_ statement: Statement<Value>) throws(PostgresError) -> Result<[Value], PostgresError> {
        var outcome: Result<[Value], PostgresError> = .failure(
            PostgresError(.connectionLost, "no result came", statement: statement.name)
        )
        while let result = try link.nextResult() {
            switch result.status {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                var row = Row(result, statement: statement.name)
                do throws(PostgresError) {
                    outcome = .success(try row.decodeAll(statement.decode))
                } catch {
                    outcome = .failure(error)
                }
            case PGRES_PIPELINE_ABORTED:
                outcome = .failure(
                    PostgresError(.transactionAborted, "an earlier statement failed", statement: statement.name)
                )
            default:
                let error = classified(result.error(statement: statement.name))
                guard link.isOpen else { throw error }
                outcome = .failure(error)
            }
        }
        return outcome
    }

    /// Reads the answer to a Sync; an error here is a commit that failed (a deferred constraint).
    private func readSync(_ name: String) throws(PostgresError) -> PostgresError? {
        var refused: PostgresError?
        while true {
            guard let result = try link.nextResult() else {
                // The end of an error's results; anything else would be a Sync without an answer.
                if refused != nil { continue }
                throw PostgresError(.connectionLost, "the pipeline ended before its Sync", statement: name)
            }
            if result.status == PGRES_PIPELINE_SYNC { return refused }
            let error = classified(result.error(statement: name))
            guard link.isOpen else { throw error }
            refused = error
        }
    }

    /// A failure at the end undid what seemed to have succeeded before it.
    private func allOrNone<Value>(
        _ results: [Result<[Value], PostgresError>]
    ) -> [Result<[Value], PostgresError>] {
        for case .failure(let error) in results where error.kind != .transactionAborted {
            return results.map { _ in .failure(error) }
        }
        return results
    }
}
