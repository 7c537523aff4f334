import ArgumentParser
import Glibc
import PricingProtocol

/// What people do at a shop from a terminal. Exit statuses stand in `ExitStatus`; the parser's own 64 for usage becomes
/// ours.
@main
struct PricingRepl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pricing-repl",
        abstract: "Talks to a pricing daemon: from a prompt, a file, stdin or -c.",
        discussion: """
            pricing-repl alone opens the prompt; pricing-repl -c COMMAND and pricing-repl FILE run commands and leave \
            (pricing-repl shell --help).

            Exit status: 0 ok, 1 a call was refused, 2 no connection, 3 usage, 4 timeout or cancelled, 130 interrupted.
            """,
        version: Release.version,
        subcommands: [ShellCommand.self, DoctorCommand.self, ImportCommand.self, ExportCommand.self],
        defaultSubcommand: ShellCommand.self
    )

    @OptionGroup var connection: Connection

    @MainActor
    static func main() async {
        let console = Console()
        do {
            var command = try parseAsRoot()
            guard let ours = command as? any ConsoleCommand else {
                // The parser's own, such as help: its text is thrown.
                try command.run()
                return
            }
            Glibc.exit(await ours.status(console).rawValue)
        } catch {
            guard exitCode(for: error).isSuccess else {
                console.complain(fullMessage(for: error))
                Glibc.exit(ExitStatus.usage.rawValue)
            }
            console.show(fullMessage(for: error) + "\n")
            Glibc.exit(ExitStatus.ok.rawValue)
        }
    }
}

/// One of the things that the program does.
protocol ConsoleCommand: ParsableCommand {
    @MainActor
    func status(_ console: Console) async -> ExitStatus
}

/// Which daemon is meant.
struct Connection: ParsableArguments {
    @Option(help: "The daemon's socket; else $PRICINGD_SOCKET and the usual places.")
    var socket: String?

    var path: String { SocketPath.ofServer(explicit: socket) }

    @MainActor
    var session: Session { Session(socket: path) }
}

/// `pricing-repl doctor`.
struct DoctorCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say which socket is meant, whether it answers and who we are."
    )

    @OptionGroup var connection: Connection

    @MainActor
    func status(_ console: Console) async -> ExitStatus {
        let session = connection.session
        let status = await Doctor(session: session, console: console).run()
        await session.disconnect()
        return status
    }
}

/// The operator's shell.
struct ShellCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell",
        abstract: "Open the prompt, or run commands and leave."
    )

    @OptionGroup var connection: Connection

    @Option(name: .short, parsing: .unconditionalSingleValue, help: "Run this command and leave; may be repeated.")
    var command: [String] = []

    @Flag(help: "Go on after an error; a script ends at its first one unless told so.")
    var keepGoing = false

    @Option(help: "How results are written; table on a terminal, else json.")
    var format: OutputFormat?

    @Flag(help: "Answer yes wherever a deed that moves much, or for good, would be asked about.")
    var yes = false

    @Option(help: "Whether colours are used; auto: on a terminal, unless NO_COLOR is set.")
    var color = Palette.Choice.auto

    @Option(help: "Write what is typed and what comes of it into this file.", completion: .file())
    var record: String?

    @Option(help: "Run a recorded session again.", completion: .file())
    var replay: String?

    @Flag(help: "Show in what a replayed session is not as recorded, and end with 1 then.")
    var expect = false

    @Argument(help: "A file of commands.", completion: .file())
    var file: String?

    func validate() throws {
        guard replay == nil || (command.isEmpty && file == nil && record == nil) else {
            throw ValidationError("--replay takes its commands from the recording alone")
        }
        guard replay != nil || !expect else { throw ValidationError("--expect goes with --replay") }
    }

    @MainActor
    func status(_ console: Console) async -> ExitStatus {
        if let replay { return await again(replay, console) }
        var console = console
        let tap = record.map { _ in Tap() }
        console.tap = tap
        let session = connection.session
        let isInteractive = command.isEmpty && file == nil && isatty(STDIN_FILENO) == 1
        let shell = Shell(
            session: session,
            console: console,
            interrupts: Interrupts(),
            format: format ?? (console.isTerminal ? .table : .json),
            isInteractive: isInteractive
        )
        shell.deeds.saysYes = yes
        shell.deeds.palette = Palette(color, isTerminal: console.isTerminal, environment: Environment.text)
        shell.goesOn = keepGoing
        if let record, let tap {
            let setting = Transcript.Setting(isInteractive: isInteractive, format: shell.format, columns: console.width)
            guard let recorder = Recorder(path: record, tap: tap, setting: setting) else {
                let reason = unsafe String(cString: strerror(errno))
                console.complain("error: \(record): \(reason)")
                return .usage
            }
            shell.recorder = recorder
        }
        let status = isInteractive ? await converse(shell) : await runScript(shell)
        await session.disconnect()
        return status
    }

    /// A recorded session is held as it was: with its format, its width, and the answers that were given.
    @MainActor
    private func again(_ path: String, _ console: Console) async -> ExitStatus {
        guard var lines = LineReader(path: path) else {
            console.complain("error: \(path) cannot be read")
            return .usage
        }
        var text = ""
        while let line = lines.next() { text += line + "\n" }
        guard let transcript = Transcript(text) else {
            console.complain("error: \(path) is no recording; --record makes one")
            return .usage
        }
        let tap = Tap(isSilent: expect)
        var heard = console
        (heard.tap, heard.recorded) = (tap, transcript.setting)
        let shell = Shell(
            session: connection.session,
            console: heard,
            interrupts: Interrupts(),
            format: transcript.setting.format,
            isInteractive: transcript.setting.isInteractive
        )
        shell.deeds.saysYes = yes
        let status = await Replay(transcript, at: path, shell, tap, isExpected: expect).run()
        await shell.session.disconnect()
        return status
    }

    @MainActor
    private func runScript(_ shell: Shell) async -> ExitStatus {
        shell.session.notified = { [console = shell.console] method, parameters in
            console.complain(EventText.line(method: method, parameters: parameters))
        }
        for text in command where await shell.run(text) == .stop { return shell.status }
        if let file {
            guard let lines = LineReader(path: file) else {
                shell.console.complain("error: \(file) cannot be read")
                return .usage
            }
            _ = await shell.run(lines: lines, of: file)
        } else if command.isEmpty {
            _ = await shell.run(lines: LineReader(descriptor: STDIN_FILENO), of: "stdin")
        }
        return shell.status
    }

    /// What was refused at the prompt was seen there: the conversation itself ends well.
    @MainActor
    private func converse(_ shell: Shell) async -> ExitStatus {
        let path = HistoryFile.path(environment: Environment.text)
        guard let prompt = Prompt(shell: shell, historyPath: path) else {
            shell.console.complain("error: the terminal cannot be used")
            return .usage
        }
        let greeting = "pricing-repl at \(shell.session.socket). \\? for help."
        shell.console.show(DisplayText.wrapped(greeting, to: shell.console.width) + "\n")
        shell.session.keep()
        if let path = Self.startFile, let lines = LineReader(path: path) {
            _ = await shell.run(lines: lines, of: path)
        }
        await prompt.run()
        return .ok
    }
}

extension ShellCommand {
    /// What runs before the first prompt: `$XDG_CONFIG_HOME/pricing/replrc`, else under `~/.config`.
    private static var startFile: String? {
        if let folder = Environment.text("XDG_CONFIG_HOME"), folder.hasPrefix("/") { return folder + "/pricing/replrc" }
        return Environment.text("HOME").map { $0 + "/.config/pricing/replrc" }
    }
}

extension OutputFormat: ExpressibleByArgument {}
extension Palette.Choice: ExpressibleByArgument {}
