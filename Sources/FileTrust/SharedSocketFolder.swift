/// The folder of a user's socket where the system gives the user none: `/tmp/pricingd-<uid>`. Any user can make a folder
/// of that name, so it is to be trusted only when it belongs to the uid in the name.
package enum SharedSocketFolder {
    private static let prefix = "/tmp/pricingd-"

    /// The folder of the user with this uid.
    package static func path(of uid: UInt32) -> String { prefix + String(uid) }

    /// The uid whose folder this is by its name; nil for any other folder. Slashes and dots that change nothing are
    /// ignored.
    package static func owner(of folder: String) -> UInt32? {
        guard folder.hasPrefix("/") else { return nil }
        let plain = "/" + folder.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return plain.hasPrefix(prefix) ? UInt32(plain.dropFirst(prefix.count)) : nil
    }
}
