import Pricing
import Testing

@Suite("What a migration would do")
struct MigrationPlanTests {
    private let once = script("01_tables.sql", "--! once\nold")
    private let repeatable = script("02_functions.sql", "--! repeatable\nfirst")
    private let demo = script("03_rows.sql", "--! demo\nrows")
    private let queries = script("04_queries.sql", "--! queries\nquestions")
    private let later = script("05_more.sql", "--! once\nmore")

    @Test("An empty database gets once, then repeatable, and demo only when asked for, last")
    func first() throws {
        let all = [once, repeatable, demo, queries, later]
        let plan = try MigrationPlan(scripts: all, ledger: [], wantsDemo: false)
        #expect(plan.isFirst)
        #expect(plan.steps == [once, later, repeatable])
        #expect(try MigrationPlan(scripts: all, ledger: [], wantsDemo: true).steps == [once, later, repeatable, demo])
    }

    @Test("A database that has everything needs nothing")
    func nothing() throws {
        let plan = try MigrationPlan(scripts: [once, repeatable], ledger: rows(once, repeatable), wantsDemo: false)
        #expect(plan.isEmpty)
        #expect(!plan.isFirst)
    }

    @Test("A repeatable script that changed is applied again, a once script that is new is applied")
    func again() throws {
        let changed = script(repeatable.script.name, "--! repeatable\nsecond")
        let plan = try MigrationPlan(
            scripts: [once, changed, later],
            ledger: rows(once, repeatable),
            wantsDemo: false
        )
        #expect(plan.steps == [later, changed])
    }

    @Test("Demo rows come once, later too, and are never applied again when their text changes")
    func demoRows() throws {
        #expect(try MigrationPlan(scripts: [once, demo], ledger: rows(once), wantsDemo: true).steps == [demo])
        let changed = script(demo.script.name, "--! demo\nother")
        #expect(try MigrationPlan(scripts: [once, changed], ledger: rows(once, demo), wantsDemo: true).isEmpty)
    }

    @Test("A once script that was edited is refused by name")
    func edited() {
        let changed = script(once.script.name, "--! once\nnew")
        #expect(throws: MigrationPlan.Refusal.edited("01_tables.sql")) {
            try MigrationPlan(scripts: [changed, repeatable], ledger: rows(once), wantsDemo: false)
        }
    }

    @Test("A database ahead of the binary is refused by the stranger's name")
    func ahead() {
        #expect(throws: MigrationPlan.Refusal.ahead("05_more.sql")) {
            try MigrationPlan(scripts: [once, repeatable], ledger: rows(once, repeatable, later), wantsDemo: false)
        }
    }

    @Test(
        "A script needs a number and a known pragma",
        arguments: [
            ("tables.sql", "--! once\n"), ("01_tables.sql", "select 1;"), ("01_tables.sql", "--! sometimes\n"),
            ("01_tables.sql", ""), ("01_tables.sql", "-- ! once\n"),
        ]
    )
    func malformed(name: String, text: String) {
        #expect(SQLScript(name: name, text: text) == nil)
    }

    @Test("Both refusals say what to do")
    func refusalsSpeak() {
        #expect("\(MigrationPlan.Refusal.edited("01_a.sql"))".contains("01_a.sql"))
        #expect("\(MigrationPlan.Refusal.ahead("99_z.sql"))".contains("99_z.sql"))
    }

    private func rows(_ candidates: MigrationPlan.Candidate...) -> [MigrationPlan.Applied] {
        candidates.map {
            MigrationPlan.Applied(
                number: $0.script.number,
                name: $0.script.name,
                kind: $0.script.kind.rawValue,
                hash: $0.hash
            )
        }
    }
}

/// A script whose hash is its own text.
private func script(_ name: String, _ text: String) -> MigrationPlan.Candidate {
    guard let script = SQLScript(name: name, text: text) else { preconditionFailure("\(name) is no script") }
    return MigrationPlan.Candidate(script: script, hash: text)
}
