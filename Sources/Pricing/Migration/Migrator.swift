package import Postgres

/// Brings a database up to the scripts of this binary, in one transaction under one lock.
package enum Migrator {
    /// Why a migration did not happen.
    package enum Failure: Error, Sendable {
        case refused(MigrationPlan.Refusal)
        case database(PostgresError)
    }

    /// Plans and runs what is missing. Safe to call from many processes at once: one migrates, and the others then find nothing to do.
    /// - Parameters:
    ///   - isSandbox: marks a database that is made now as one whose clock may be set.
    ///   - isDryRun: plans only.
    ///   - looksForObstacles: whether obstacles to the plan are a failure; a role that only serves would meet many.
    /// - Returns: the plan, which was carried out unless it is a dry run.
    package static func migrate(
        _ connection: PostgresConnection,
        scripts: [SQLScript] = SQLScript.embedded,
        wantsDemo: Bool = false,
        isSandbox: Bool = false,
        isDryRun: Bool = false,
        looksForObstacles: Bool = true
    ) async throws(Failure) -> MigrationPlan {
        let planned: Result<MigrationPlan, MigrationPlan.Refusal>
        do throws(PostgresError) {
            planned = try await connection.run { (session) throws(PostgresError) in
                try session.transaction { (session) throws(PostgresError) in
                    try session.run(MigrationStatements.lock)
                    try session.run(MigrationStatements.limitLocks)
                    let plan = try plan(
                        session,
                        scripts,
                        wantsDemo: wantsDemo,
                        looksForObstacles: looksForObstacles
                    )
                    if !isDryRun, case .success(let plan) = plan, !plan.isEmpty {
                        try apply(plan, session, isSandbox: isSandbox)
                    }
                    return plan
                }
            }
        } catch {
            guard error.kind == .server else { throw .database(error) }
            throw .refused(.blocked([MigrationPlan.Obstacle(error)]))
        }
        do {
            return try planned.get()
        } catch {
            throw .refused(error)
        }
    }

    /// The hash of this binary's code, as the register keeps it.
    static func codeHash(_ session: Session, _ scripts: [SQLScript]) throws(PostgresError) -> String {
        let text = scripts.filter { $0.kind == .code }.map { "\($0.name)\n\($0.text)" }.joined(separator: "\n")
        return try session.one(MigrationStatements.hash, [.text(text)])
    }

    private static func plan(
        _ session: Session,
        _ scripts: [SQLScript],
        wantsDemo: Bool,
        looksForObstacles: Bool
    ) throws(PostgresError) -> Result<MigrationPlan, MigrationPlan.Refusal> {
        var candidates: [MigrationPlan.Candidate] = []
        for script in scripts where script.kind == .once || script.kind == .demo {
            let hash = try session.one(MigrationStatements.hash, [.text(script.text)])
            candidates.append(MigrationPlan.Candidate(script: script, hash: hash))
        }
        let code = MigrationPlan.Code(
            scripts: scripts.filter { $0.kind == .code },
            hash: try codeHash(session, scripts)
        )
        let register =
            try session.one(MigrationStatements.registerExists) ? try session.all(MigrationStatements.register) : []
        let plan: MigrationPlan
        do throws(MigrationPlan.Refusal) {
            plan = try MigrationPlan(scripts: candidates, code: code, register: register, wantsDemo: wantsDemo)
        } catch {
            return .failure(error)
        }
        let obstacles = plan.isEmpty || !looksForObstacles ? [] : try session.all(MigrationStatements.obstacles)
        return obstacles.isEmpty ? .success(plan) : .failure(.blocked(obstacles))
    }

    private static func apply(_ plan: MigrationPlan, _ session: Session, isSandbox: Bool) throws(PostgresError) {
        if plan.isFirst { try session.script(MigrationStatements.createRegister, name: "schema_script") }
        try session.run(MigrationStatements.lookInTables)
        for step in plan.once {
            try run(step, session)
            // Marked before the demo rows are made, since they may need the clock.
            if plan.isFirst, isSandbox, step == plan.once.first { try session.run(MigrationStatements.markSandbox) }
        }
        if let code = plan.code {
            try session.script(MigrationStatements.createCode, name: MigrationPlan.codeName)
            for script in code.scripts { try session.script(script.text, name: script.name) }
            try session.run(MigrationStatements.lookInTables)
            try record(MigrationPlan.codeName, .code, code.hash, session)
            try session.run(MigrationStatements.tellDaemons)
        }
        for step in plan.demo { try run(step, session) }
    }

    private static func run(_ step: MigrationPlan.Candidate, _ session: Session) throws(PostgresError) {
        try session.script(step.script.text, name: step.script.name)
        try record(step.script.name, step.script.kind, step.hash, session)
    }

    private static func record(
        _ name: String,
        _ kind: SQLScript.Kind,
        _ hash: String,
        _ session: Session
    ) throws(PostgresError) {
        try session.run(MigrationStatements.record, [.text(name), .text(kind.rawValue), .text(hash)])
    }
}

extension MigrationPlan.Obstacle {
    /// The server's error about a script; it may be shown whole, since scripts hold no values of a shop.
    fileprivate init(_ error: PostgresError) {
        let place = error.statement.map { "\($0): " } ?? ""
        let hint =
            error.sqlState == .lockNotAvailable
            ? "another session holds a lock on one of the shop's tables; end it, or migrate when it is done"
            : error.hint ?? error.detail ?? "nothing was changed"
        self.init(object: "\(place)\(error.message) (\(error.sqlState?.code ?? "no SQLSTATE"))", hint: hint)
    }
}
