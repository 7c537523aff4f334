import ArgumentParser
import Glibc
import PricingProtocol

/// The operator's shell. Exit statuses stand in `ExitStatus`; the parser's own 64 for usage becomes ours.
@main
struct PricingRepl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pricing-repl",
        abstract: "Talks to a pricing daemon.",
        subcommands: [ShellCommand.self, DoctorCommand.self],
        defaultSubcommand: ShellCommand.self
    )

    @MainActor
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            if let ended = error as? ExitCode { Glibc.exit(ended.rawValue) }
            let console = Console()
            if code.isSuccess {
                console.show(fullMessage(for: error) + "\n")
                Glibc.exit(ExitStatus.ok.rawValue)
            }
            console.complain(fullMessage(for: error))
            Glibc.exit(ExitStatus.usage.rawValue)
        }
    }
}

/// Where the daemon is.
struct SocketOption: ParsableArguments {
    @Option(help: "The daemon's socket; else $PRICINGD_SOCKET and the usual places.")
    var socket: String?

    @MainActor
    func session() -> Session { Session(socket: SocketPath.resolve(explicit: socket)) }
}

struct ShellCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: "Runs commands from a prompt, a file, stdin or -c.",
        shouldDisplay: false
    )

    @OptionGroup var location: SocketOption

    @Option(name: .short, parsing: .unconditionalSingleValue, help: "Run this command and leave; may be repeated.")
    var command: [String] = []

    @Option(help: "How results are written; table on a terminal, else json.")
    var format: OutputFormat?

    @Argument(help: "A file of commands.", completion: .file())
    var file: String?

    @MainActor
    func run() async throws {
        let console = Console()
        let isInteractive = command.isEmpty && file == nil && isatty(STDIN_FILENO) == 1
        let shell = Shell(
            session: location.session(),
            console: console,
            interrupts: Interrupts(),
            format: format ?? (console.isTerminal ? .table : .json),
            isInteractive: isInteractive
        )
        try await runAll(in: shell)
        await shell.session.disconnect()
        throw ExitCode(isInteractive ? ExitStatus.ok.rawValue : shell.status.rawValue)
    }

    @MainActor
    private func runAll(in shell: Shell) async throws {
        if shell.isInteractive { return try await converse(shell) }
        shell.session.notified = { [console = shell.console] method, parameters in
            console.complain(EventText.line(method: method, parameters: parameters))
        }
        for text in command where await shell.run(text) == .stop { return }
        if let file {
            guard let lines = LineReader(path: file) else { throw ValidationError("\(file) cannot be read") }
            _ = await shell.run(lines: lines)
        } else if command.isEmpty {
            _ = await shell.run(lines: LineReader(descriptor: STDIN_FILENO))
        }
    }

    @MainActor
    private func converse(_ shell: Shell) async throws {
        let path = HistoryFile.path { unsafe getenv($0).map { unsafe String(cString: $0) } }
        guard let prompt = Prompt(shell: shell, historyPath: path) else { throw ValidationError("no usable terminal") }
        do {
            try await shell.session.loadCatalogue()
        } catch {
            shell.console.complain(error.line)
            throw ExitCode(error.status.rawValue)
        }
        shell.console.show("pricing-repl, connected to \(shell.session.socket). \\? for help.\n")
        await prompt.run()
    }
}

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says which socket is meant, whether it answers and who we are."
    )

    @OptionGroup var location: SocketOption

    @MainActor
    func run() async throws {
        throw ExitCode(await Doctor(session: location.session(), console: Console()).run().rawValue)
    }
}

extension OutputFormat: ExpressibleByArgument {}
