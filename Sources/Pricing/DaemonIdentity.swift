/// Who this daemon is: one value for its whole life.
struct DaemonIdentity: Sendable {
    /// The version of the program.
    static let version = "0.1.0"

    /// New at each start.
    let instanceID: String
    let started = ContinuousClock.now
    /// Whether its database's clock may be set.
    let isSandbox: Bool

    init(isSandbox: Bool) {
        self.isSandbox = isSandbox
        instanceID =
            String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
    }
}
