import CExtendedAttributes
import Glibc

/// A POSIX access control list that lets several groups read and write a file, where its mode has room for one.
enum AccessList {
    /// An entry's tag, as `acl(5)` numbers them.
    private enum Tag: UInt16 {
        case owner = 0x01
        case owningGroup = 0x04
        case group = 0x08
        case mask = 0x10
        case others = 0x20
    }

    private static let version: UInt32 = 2
    private static let readAndWrite: UInt16 = 6
    private static let noID = UInt32.max

    /// Lets the owner, the file's own group and these groups read and write, and others nothing; the mode reads 0660 then.
    /// - Returns: whether the file system keeps such lists.
    static func open(_ path: String, to groups: [UInt32]) -> Bool {
        var bytes = little(version)
        bytes += entry(.owner, readAndWrite) + entry(.owningGroup, readAndWrite)
        for group in groups.sorted() { bytes += entry(.group, readAndWrite, group) }
        bytes += entry(.mask, readAndWrite) + entry(.others, 0)
        return unsafe bytes.withUnsafeBytes {
            unsafe setxattr(path, "system.posix_acl_access", $0.baseAddress, $0.count, 0) == 0
        }
    }

    private static func entry(_ tag: Tag, _ permissions: UInt16, _ id: UInt32 = noID) -> [UInt8] {
        little(tag.rawValue) + little(permissions) + little(id)
    }

    private static func little(_ number: some FixedWidthInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}
