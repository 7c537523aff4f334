import Glibc

/// Where the history lives, and what never enters it.
enum HistoryFile {
    /// `$XDG_STATE_HOME/pricingd/history`, else `~/.local/state/pricingd/history`; nil without a home.
    static func path(environment: (String) -> String?) -> String? {
        if let state = environment("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/pricingd/history" }
        guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
        return home + "/.local/state/pricingd/history"
    }

    /// A line that names a password is not kept.
    static func keeps(_ line: String) -> Bool {
        let compact = line.lowercased().filter { !$0.isWhitespace }
        guard !compact.isEmpty else { return false }
        return compact.split(separator: "password", omittingEmptySubsequences: false).dropFirst().allSatisfy {
            !$0.hasPrefix("=") && !$0.hasPrefix("\":") && !$0.hasPrefix("':")
        }
    }

    /// Makes the folders above `path`, private to this user. False when that fails.
    static func makeFolders(above path: String) -> Bool {
        var folder = ""
        for name in path.split(separator: "/").dropLast() {
            folder += "/" + name
            if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST { return false }
        }
        return true
    }
}
