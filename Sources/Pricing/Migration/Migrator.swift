package import Postgres

/// Brings a database to the scripts of this binary, in one transaction under one lock.
package enum Migrator {
    /// Why a migration did not happen.
    package enum Failure: Error, Sendable {
        case refused(MigrationPlan.Refusal)
        case database(PostgresError)
    }

    /// Plans and runs what is missing. Safe to call from many processes at once: one does it, the others find it done.
    /// - Parameters:
    ///   - isSandbox: marks a database that is made now as one whose clock may be set.
    ///   - isDryRun: plans only.
    /// - Returns: the plan, which was carried out unless it is a dry run.
    package static func migrate(
        _ connection: PostgresConnection,
        scripts: [SQLScript] = SQLScript.embedded,
        wantsDemo: Bool = false,
        isSandbox: Bool = false,
        isDryRun: Bool = false
    ) async throws(Failure) -> MigrationPlan {
        let outcome: Result<MigrationPlan, MigrationPlan.Refusal>
        do throws(PostgresError) {
            outcome = try await connection.run { (session) throws(PostgresError) in
                try session.transaction { (session) throws(PostgresError) in
                    try session.run(MigrationStatements.lock)
                    let plan = try plan(session, scripts, wantsDemo)
                    if !isDryRun, case .success(let plan) = plan {
                        try apply(plan, session, isSandbox: isSandbox)
                    }
                    return plan
                }
            }
        } catch {
            throw .database(error)
        }
        do {
            return try outcome.get()
        } catch {
            throw .refused(error)
        }
    }

    private static func plan(
        _ session: Session,
        _ scripts: [SQLScript],
        _ wantsDemo: Bool
    ) throws(PostgresError) -> Result<MigrationPlan, MigrationPlan.Refusal> {
        var candidates: [MigrationPlan.Candidate] = []
        for script in scripts {
            let hash = try session.one(MigrationStatements.hash, [.text(script.text)])
            candidates.append(MigrationPlan.Candidate(script: script, hash: hash))
        }
        let ledger =
            try session.one(MigrationStatements.ledgerExists) ? try session.all(MigrationStatements.ledger) : []
        do throws(MigrationPlan.Refusal) {
            return .success(try MigrationPlan(scripts: candidates, ledger: ledger, wantsDemo: wantsDemo))
        } catch {
            return .failure(error)
        }
    }

    private static func apply(_ plan: MigrationPlan, _ session: Session, isSandbox: Bool) throws(PostgresError) {
        if try !session.one(MigrationStatements.ledgerExists) {
            try session.script(MigrationStatements.createLedger, name: "schema_script")
        }
        for step in plan.steps {
            try session.script(step.script.text, name: step.script.name)
            try session.run(
                MigrationStatements.record,
                [
                    .int(Int64(step.script.number)), .text(step.script.name), .text(step.script.kind.rawValue),
                    .text(step.hash),
                ]
            )
            // A sandbox is one from its first table on, before demo rows could need the clock.
            if plan.isFirst, isSandbox, step.script.number == plan.steps.first?.script.number {
                try session.run(MigrationStatements.markSandbox)
            }
        }
    }
}
