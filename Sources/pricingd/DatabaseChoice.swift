import ArgumentParser
import Configuration
import FileTrust
import Glibc
import Postgres
import Pricing
import SystemPackage

/// Which database, from flags, environment and `.env`, in this order: `--database-url`, `--data-dir`, `DATABASE_URL`,
/// libpq's own `PGHOST`, `PGHOSTADDR`, `PGSERVICE` or `PGDATABASE`, `DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD` from
/// the environment or the file `.env`, else a private cluster.
enum DatabaseChoice {
    static func make(_ options: CommonOptions) async throws -> DatabaseSource {
        let source = try await source(options)
        if case .configured(let settings) = source { try checkFiles(of: settings) }
        return source
    }

    /// The settings of servers beside the database, whose files are looked at too.
    static func trusted(_ url: String) throws -> ConnectionSettings {
        let settings = try settings(url)
        try checkFiles(of: settings)
        return settings
    }

    /// - Parameter otherPlace: where else a URL may stand that holds a password.
    static func validate(url: String, of option: String, or otherPlace: String = "") throws {
        guard let settings = try? ConnectionSettings(url: url) else {
            throw ValidationError("\(option) is not understood")
        }
        guard !settings.holdsSecret else {
            throw ValidationError(
                """
                a password in \(option) can be read by everybody in the list of processes; leave it out and put it \
                into ~/.pgpass or the file that PGPASSFILE names\(otherPlace)
                """
            )
        }
    }

    private static func source(_ options: CommonOptions) async throws -> DatabaseSource {
        if let url = options.databaseUrl { return .configured(try settings(url)) }
        if let folder = options.dataDir { return .privateCluster(folder: folder) }
        let reader = try await configuration()
        if let url = reader.string(forKey: "database.url", isSecret: true) { return .configured(try settings(url)) }
        if ["pghost", "pghostaddr", "pgservice", "pgdatabase"].contains(where: {
            reader.string(forKey: .init($0)) != nil
        }) {
            return .configured(ConnectionSettings())
        }
        var keywords: [String: String] = [:]
        for (key, keyword) in [("host", "host"), ("port", "port"), ("name", "dbname"), ("user", "user")] {
            keywords[keyword] = reader.string(forKey: .init("db.\(key)"))
        }
        guard !keywords.isEmpty else { return .privateCluster(folder: defaultFolder(reader)) }
        keywords["password"] = reader.string(forKey: "db.password", isSecret: true)
        return .configured(ConnectionSettings(keywords: keywords))
    }

    private static func settings(_ url: String) throws -> ConnectionSettings {
        do throws(PostgresError) {
            return try ConnectionSettings(url: url)
        } catch {
            throw Exit.because("the database URL is not understood", Exit.usage)
        }
    }

    private static func configuration() async throws -> ConfigReader {
        var providers: [any ConfigProvider] = [EnvironmentVariablesProvider()]
        if let file = try open(".env", isSecret: true) {
            defer { close(file) }
            // What was looked at is what is read, whatever stands at the name now.
            let same = FilePath("/proc/self/fd/\(file)")
            providers.append(try await EnvironmentVariablesProvider(environmentFilePath: same))
        }
        return ConfigReader(providers: providers)
    }

    /// Looks at the files that libpq takes the server's address and the password from. It asks for no owner, and leaves a
    /// password file that others may read aside without a word.
    private static func checkFiles(of settings: ConnectionSettings) throws {
        let home = variable("HOME")
        if let path = settings.keywords["passfile"] ?? variable("PGPASSFILE") {
            try look(path, isSecret: true)
        } else if let home {
            try look(home + "/.pgpass", isSecret: false)
        }
        guard settings.keywords["service"] ?? variable("PGSERVICE") != nil else { return }
        if let path = variable("PGSERVICEFILE") ?? home.map({ $0 + "/.pg_service.conf" }) {
            try look(path, isSecret: false)
        }
    }

    private static func look(_ path: String, isSecret: Bool) throws {
        if let file = try open(path, isSecret: isSecret) { close(file) }
    }

    private static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// Opens a file to rely on; nil when there is none.
    private static func open(_ path: String, isSecret: Bool) throws -> Int32? {
        do throws(Distrust) {
            return try TrustedFile.openFile(path, isSecret: isSecret)
        } catch {
            throw Exit.because("\(error)", Exit.configuration)
        }
    }

    private static func defaultFolder(_ reader: ConfigReader) -> String {
        if getuid() == 0 { return "/var/lib/pricingd" }
        if let folder = reader.string(forKey: "xdg.data.home") { return "\(folder)/pricingd" }
        return "\(reader.string(forKey: "home") ?? "/tmp")/.local/share/pricingd"
    }
}
