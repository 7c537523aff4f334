/// `struct ucred`, which Glibc's module does not carry.
struct Credentials: Sendable {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}
