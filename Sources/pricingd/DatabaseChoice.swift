import Configuration
import Glibc
import Postgres
import Pricing
import SystemPackage

/// Which database, from flags, environment and `.env`, in this order: `--database-url`, `--data-dir`, `DATABASE_URL`,
/// libpq's own `PGHOST`, `PGHOSTADDR`, `PGSERVICE` or `PGDATABASE`, `DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD` from
/// the environment or the file `.env`, else a private cluster.
enum DatabaseChoice {
    static func make(_ options: CommonOptions) async throws -> DatabaseSource {
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
        var facts = stat()
        if unsafe stat(".env", &facts) == 0 {
            guard facts.st_mode & 0o044 == 0 else {
                throw Exit.because(".env can be read by others; run chmod 600 .env", Exit.configuration)
            }
            providers.append(try await EnvironmentVariablesProvider(environmentFilePath: ".env"))
        }
        return ConfigReader(providers: providers)
    }

    private static func defaultFolder(_ reader: ConfigReader) -> String {
        if getuid() == 0 { return "/var/lib/pricingd" }
        if let folder = reader.string(forKey: "xdg.data.home") { return "\(folder)/pricingd" }
        return "\(reader.string(forKey: "home") ?? "/tmp")/.local/share/pricingd"
    }
}
