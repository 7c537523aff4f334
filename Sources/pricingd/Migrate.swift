import ArgumentParser
import Logging
import Postgres
import Pricing

/// `pricingd migrate`: brings a database to the scripts of this binary.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Apply the SQL scripts that the database lacks.")

    @OptionGroup var options: CommonOptions

    @Flag(help: "Say what would be applied, and apply nothing.")
    var dryRun = false

    @Flag(help: "Apply the sample rows too.")
    var demo = false

    func run() async throws {
        let logger = options.logger()
        let source = try await DatabaseChoice.make(options)
        do throws(PostgresError) {
            let (cluster, owner, _) = try await DatabaseHost.reach(source, mayJoin: dryRun, logger: logger)
            let connection = try await PostgresConnection.open(owner, name: "pg migrate", logger: logger)
            let outcome = await migrate(connection)
            await connection.close()
            await cluster?.stop()
            if let code = outcome { throw PostgresError(.closed, "\(code.rawValue)") }
        } catch {
            if error.kind == .closed { throw ExitCode(Int32(error.message) ?? 1) }
            throw DatabaseHost.Failure.database(error).exit
        }
    }

    private func migrate(_ connection: PostgresConnection) async -> ExitCode? {
        do throws(Migrator.Failure) {
            let plan = try await Migrator.migrate(
                connection,
                wantsDemo: demo,
                isSandbox: options.sandbox,
                isDryRun: dryRun
            )
            for step in plan.steps { print("\(dryRun ? "would apply" : "applied") \(step)") }
            if plan.isEmpty { print("nothing to apply") }
            return nil
        } catch {
            switch error {
            case .refused(let refusal): return DatabaseHost.Failure.refused(refusal).exit
            case .database(let error): return DatabaseHost.Failure.database(error).exit
            }
        }
    }
}

/// `pricingd scripts [show NAME]`: the SQL inside this binary.
struct Scripts: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the SQL scripts inside this binary, or show one.")

    @Argument(help: "show, and the script's name.")
    var words: [String] = []

    func run() throws {
        if words.isEmpty {
            for script in SQLScript.embedded { print("\(script.name)  \(script.kind.rawValue)") }
        } else if words.count == 2, words[0] == "show" {
            guard let script = SQLScript.embedded.first(where: { $0.name == words[1] }) else {
                throw Exit.because("there is no script \(words[1]); pricingd scripts lists them", Exit.usage)
            }
            print(script.text, terminator: "")
        } else {
            throw Exit.because("usage: pricingd scripts [show NAME]", Exit.usage)
        }
    }
}
