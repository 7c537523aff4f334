import Pricing
import Testing

struct MigrationPlanTests {
    private let once = candidate("01_tables.sql", "--! once\nold")
    private let demo = candidate("03_rows.sql", "--! demo\nrows")
    private let later = candidate("05_more.sql", "--! once\nmore")
    private let code = MigrationPlan.Code(scripts: [], hash: "first")

    @Test func `an empty database gets the schema, then the code, and demo rows only when asked for, last`() throws {
        let plan = try MigrationPlan(scripts: [once, demo, later], code: code, register: [], wantsDemo: false)
        #expect(plan.isFirst)
        #expect(plan.steps == ["01_tables.sql", "05_more.sql", "code"])
        let all = try MigrationPlan(scripts: [once, demo, later], code: code, register: [], wantsDemo: true)
        #expect(all.steps == ["01_tables.sql", "05_more.sql", "code", "03_rows.sql"])
    }

    @Test func `a database that has everything needs nothing`() throws {
        let plan = try plan([once], has: rows(once) + [applied(code)])
        #expect(plan.isEmpty)
        #expect(!plan.isFirst)
    }

    @Test func `code that changed is made anew, all of it`() throws {
        let changed = MigrationPlan.Code(scripts: [], hash: "second")
        let plan = try MigrationPlan(
            scripts: [once],
            code: changed,
            register: rows(once) + [applied(code)],
            wantsDemo: false
        )
        #expect(plan.steps == ["code"])
    }

    @Test func `a change of the schema makes the code anew, since its triggers are on the tables`() throws {
        #expect(try plan([once, later], has: rows(once) + [applied(code)]).steps == ["05_more.sql", "code"])
    }

    @Test func `demo rows come once, later too, and never again when their text changes`() throws {
        let has = rows(once) + [applied(code)]
        #expect(try plan([once, demo], has: has, wantsDemo: true).steps == ["03_rows.sql"])
        let changed = candidate("03_rows.sql", "--! demo\nother")
        #expect(try plan([once, changed], has: has + rows(demo), wantsDemo: true).isEmpty)
    }

    @Test func `a once script that was edited is refused by name`() {
        let changed = candidate("01_tables.sql", "--! once\nnew")
        #expect(throws: MigrationPlan.Refusal.edited("01_tables.sql")) { try plan([changed], has: rows(once)) }
    }

    @Test func `a database ahead of the binary is refused by the stranger's name`() {
        #expect(throws: MigrationPlan.Refusal.ahead("05_more.sql")) { try plan([once], has: rows(once, later)) }
    }

    @Test(
        arguments: [
            ("tables.sql", "--! once\n"), ("01_tables.sql", "select 1;"), ("01_tables.sql", "--! sometimes\n"),
            ("01_tables.sql", ""), ("01_tables.sql", "-- ! once\n"), ("a.sql", "--! code middle\n"),
            ("01_tables.sql", "--! once first\n"),
        ]
    )
    func `a script needs a known pragma, and one that is applied once a number`(name: String, text: String) {
        #expect(SQLScript(name: name, text: text) == nil)
    }

    @Test func `refusals say what to do`() {
        #expect("\(MigrationPlan.Refusal.edited("01_a.sql"))".contains("01_a.sql"))
        #expect("\(MigrationPlan.Refusal.ahead("99_z.sql"))".contains("99_z.sql"))
        let obstacle = MigrationPlan.Obstacle(object: "schema pricing", hint: "rename it")
        #expect("\(MigrationPlan.Refusal.blocked([obstacle]))".contains("schema pricing: rename it"))
    }

    private func plan(
        _ scripts: [MigrationPlan.Candidate],
        has register: [MigrationPlan.Applied],
        wantsDemo: Bool = false
    ) throws(MigrationPlan.Refusal) -> MigrationPlan {
        try MigrationPlan(scripts: scripts, code: code, register: register, wantsDemo: wantsDemo)
    }

    private func applied(_ code: MigrationPlan.Code) -> MigrationPlan.Applied {
        MigrationPlan.Applied(name: MigrationPlan.codeName, hash: code.hash)
    }

    private func rows(_ candidates: MigrationPlan.Candidate...) -> [MigrationPlan.Applied] {
        candidates.map { MigrationPlan.Applied(name: $0.script.name, hash: $0.hash) }
    }
}

/// A script whose hash is its own text.
private func candidate(_ name: String, _ text: String) -> MigrationPlan.Candidate {
    guard let script = SQLScript(name: name, text: text) else { preconditionFailure("\(name) is no script") }
    return MigrationPlan.Candidate(script: script, hash: text)
}
