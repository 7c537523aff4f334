import Glibc

/// Why a file or folder is not relied on.
package enum Distrust: Error, Sendable, Equatable {
    /// A link stands there, which another user may have made.
    case link(path: String)
    /// Something else than a folder stands there.
    case notAFolder(path: String)
    /// Something else than a plain file stands there.
    case notAFile(path: String)
    /// Its owner is neither this user nor root.
    case foreign(path: String, owner: UInt32)
    /// Group or others may write it.
    case writable(path: String, mode: UInt32)
    /// It holds secrets, and group or others may read it.
    case readable(path: String, mode: UInt32)
    /// The system lets us not look.
    case unreachable(path: String, errno: Int32)
}

extension Distrust: CustomStringConvertible {
    /// One sentence for people: what, its mode or owner, and what to do.
    package var description: String {
        switch self {
        case .link(let path): "\(path) is a link; name the folder that it leads to"
        case .notAFolder(let path): "\(path) is there and is no folder"
        case .notAFile(let path): "\(path) is there and is no plain file"
        case .foreign(let path, let owner):
            "\(path) belongs to uid \(owner)\(Self.name(owner)), neither to us (uid \(geteuid())) nor to root"
        case .writable(let path, let mode):
            "\(path) can be written by others (mode \(Self.octal(mode))); run chmod go-w \(path)"
        case .readable(let path, let mode):
            "\(path) can be read by others (mode \(Self.octal(mode))); run chmod 600 \(path)"
        case .unreachable(let path, let errno): "\(path) cannot be used: \(unsafe String(cString: strerror(errno)))"
        }
    }

    private static func name(_ user: UInt32) -> String {
        guard let entry = unsafe getpwuid(user) else { return "" }
        return unsafe " (\(String(cString: entry.pointee.pw_name)))"
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
