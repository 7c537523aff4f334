import PricingProtocol

/// What tells this run of the daemon from others; the same until it ends.
struct DaemonIdentity: Sendable {
    /// The version of the program.
    static let version = Release.version

    /// New at each start.
    let instanceID: String
    let started = ContinuousClock.now
    /// Whether its database's clock may be set.
    let isSandbox: Bool

    init(isSandbox: Bool) {
        self.isSandbox = isSandbox
        instanceID = Self.hex(.random(in: .min ... .max)) + Self.hex(.random(in: .min ... .max))
    }

    /// Sixteen hexadecimal digits.
    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
