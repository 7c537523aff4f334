import ArgumentParser
import Glibc
import Logging
import Postgres
import Pricing
import PricingProtocol

/// The daemon's command line.
@main
struct PricingdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pricingd",
        abstract: "Keeps a shop's stock and prices in PostgreSQL and serves them over a Unix socket.",
        version: Release.version,
        subcommands: [Serve.self, Migrate.self, Backup.self, Restore.self, Scripts.self, Doctor.self, OpenRPC.self],
        defaultSubcommand: Serve.self
    )
}

/// Exit codes of `sysexits.h` that callers may rely on.
enum Exit {
    static let usage = ExitCode(64)
    static let databaseUnavailable = ExitCode(69)
    static let lockHeld = ExitCode(73)
    static let configuration = ExitCode(78)

    /// Says why on stderr and gives the code to throw.
    static func because(_ sentence: String, _ code: ExitCode) -> ExitCode {
        writeLine("pricingd: \(sentence)", to: 2)
        return code
    }
}

/// Writes one line to a descriptor, whole.
func writeLine(_ line: String, to descriptor: Int32) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
        let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
        guard written > 0 || errno == EINTR else { return }
        bytes = bytes.dropFirst(max(0, written))
    }
}

/// Options that every command takes.
struct CommonOptions: ParsableArguments {
    @Option(help: "Folder of the private cluster; without it $XDG_DATA_HOME/pricingd, or /var/lib/pricingd as root.")
    var dataDir: String?

    @Option(help: "A PostgreSQL URL or connection string without a password; no private cluster is made then.")
    var databaseUrl: String?

    @Flag(help: "Make the database a sandbox, whose clock may be set.")
    var sandbox = false

    @Option(
        help: "trace, debug, info, notice, warning, error or critical; logs go to stderr.",
        transform: { text in
            guard let level = Logger.Level(rawValue: text) else {
                throw ValidationError("there is no log level \(text)")
            }
            return level
        }
    )
    var logLevel: Logger.Level = .notice

    @Option(help: "How log lines look.")
    var logFormat: LogFormat = .logfmt

    func validate() throws {
        guard let databaseUrl else { return }
        try DatabaseChoice.validate(
            url: databaseUrl,
            of: "--database-url",
            or: ", or give the whole URL as DATABASE_URL in the environment or in .env"
        )
    }

    /// A logger to stderr, at the level asked for.
    func logger() -> Logger {
        LoggingSystem.bootstrap { [logFormat] _ in LineLogHandler(format: logFormat) }
        var logger = Logger(label: "pricingd")
        logger.logLevel = logLevel
        return logger
    }
}
