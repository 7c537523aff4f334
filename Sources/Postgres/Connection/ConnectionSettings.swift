import CLibPQ

/// libpq's connection keywords: `host`, `port`, `dbname`, `user`, `password`, `target_session_attrs`, ….
///
/// What is not given comes from libpq's own sources: the `PG*` environment, a service file, its defaults.
package struct ConnectionSettings: Sendable, Hashable, CustomStringConvertible {
    /// The keywords that were given, without libpq's defaults.
    package private(set) var keywords: [String: String]
    /// The schemas that a session looks for names in, first to last, as SQL's `set search_path` takes them; nil leaves the
    /// role's. It is set after connecting, since a pooler may drop what a startup packet carries.
    package var searchPath: String?
    /// What else is set after connecting, for the same reason, and since the keyword `options` is the operator's.
    package var session: [String: String] = [:]

    /// The commands that a new session begins with; empty for none.
    var firstCommands: String {
        let path = searchPath.map { ["set search_path = \($0)"] } ?? []
        return (path + session.sorted { $0.key < $1.key }.map { "set \($0.key) = '\($0.value)'" })
            .joined(separator: "; ")
    }

    /// Settings from keywords; an empty dictionary means libpq's environment.
    package init(keywords: [String: String] = [:]) {
        self.keywords = keywords
    }

    /// Settings from a URI (`postgresql://…`) or a `key=value` string, of one host or many.
    /// - Throws: `.settings` when libpq does not understand it; the text is never repeated in `description`.
    package init(url: String) throws(PostgresError) {
        var reason: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(url, &reason) else {
            let text = unsafe reason.map { reason in unsafe String(cString: reason) } ?? "out of memory"
            unsafe PQfreemem(reason)
            throw PostgresError(.settings, text)
        }
        self.keywords = unsafe readOptions(options)
    }

    /// The same settings with one keyword set, or removed by nil.
    package func with(_ keyword: String, _ value: String?) -> ConnectionSettings {
        var copy = self
        copy.keywords[keyword] = value
        return copy
    }

    /// The host or hosts given.
    package var host: String? { keywords["host"] }
    /// The port or ports given.
    package var port: String? { keywords["port"] }
    /// The database given.
    package var database: String? { keywords["dbname"] }
    /// The user given.
    package var user: String? { keywords["user"] }

    /// Whether they hold a password in clear text, also in a connection string given as the database's name.
    package var holdsSecret: Bool {
        if keywords["password"] != nil || keywords["sslpassword"] != nil { return true }
        guard let database, database.contains("=") || database.contains("://") else { return false }
        // A string that libpq does not understand may still hold a password.
        guard let nested = try? ConnectionSettings(url: database) else { return database.contains("password") }
        return nested.holdsSecret
    }

    /// How long a connect waits for each host: `connect_timeout` where it is given, else 3 s.
    ///
    /// We keep the limit, since libpq does so only in its blocking calls. Looking up a host's name is not covered: it
    /// blocks inside libpq for as long as the system's resolver does.
    var connectTimeout: Duration {
        let defaults = unsafe readOptions(PQconndefaults())
        let given = keywords["connect_timeout"] ?? defaults["connect_timeout"]
        guard let seconds = given.flatMap({ Int32($0) }), seconds > 0 else { return .seconds(3) }
        return .seconds(seconds)
    }

    /// `key=value` pairs in alphabetical order, secrets as `***`.
    package var description: String {
        let secrets: Set = ["password", "sslpassword"]
        return keywords.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(secrets.contains($0.key) ? "***" : $0.value)" }
            .joined(separator: " ")
    }

    /// Settings for each host in the order to try them, since each host has a deadline and so needs an attempt.
    ///
    /// `prefer-standby` becomes two rounds: standbys first, then any server. A service file is left to libpq as it is.
    /// - Parameter preferred: the attempt that succeeded last time. It goes first, unless `prefer-standby` orders them.
    func attempts(preferring preferred: ConnectionSettings? = nil) -> [ConnectionSettings] {
        let defaults = unsafe readOptions(PQconndefaults())
        let hosts = list("host", defaults)
        let addresses = list("hostaddr", defaults)
        let ports = list("port", defaults)
        let count = max(hosts.count, addresses.count)
        var single: [ConnectionSettings] = []
        for index in 0..<count {
            var one = self
            if index < hosts.count { one.keywords["host"] = hosts[index] }
            if index < addresses.count { one.keywords["hostaddr"] = addresses[index] }
            if ports.count == count { one.keywords["port"] = ports[index] }
            single.append(one)
        }
        if count <= 1 || keywords["service"] != nil { single = [self] }
        guard (keywords["target_session_attrs"] ?? defaults["target_session_attrs"]) == "prefer-standby" else {
            guard let preferred, single.contains(preferred) else { return single }
            return [preferred] + single.filter { $0 != preferred }
        }
        return single.map { $0.with("target_session_attrs", "standby") }
            + single.map { $0.with("target_session_attrs", "any") }
    }

    private func list(_ keyword: String, _ defaults: [String: String]) -> [String] {
        guard let value = keywords[keyword] ?? defaults[keyword], !value.isEmpty else { return [] }
        return value.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    }
}

/// The options that have a value; frees the list.
func readOptions(_ options: UnsafeMutablePointer<PQconninfoOption>?) -> [String: String] {
    var values: [String: String] = [:]
    var next = unsafe options
    while let option = unsafe next?.pointee, let keyword = unsafe option.keyword {
        if let value = unsafe option.val {
            unsafe values[String(cString: keyword)] = unsafe String(cString: value)
        }
        unsafe next = unsafe next?.successor()
    }
    unsafe PQconninfoFree(options)
    return values
}
