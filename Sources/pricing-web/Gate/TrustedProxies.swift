/// Which peers are proxies of ours: only what they say about whom they speak for is believed.
struct TrustedProxies: Sendable {
    private let ranges: [AddressRange]

    /// Nobody is believed.
    static let none = TrustedProxies(ranges: [])

    private init(ranges: [AddressRange]) { self.ranges = ranges }

    /// - Returns: nil when one of the texts is no address and no CIDR range.
    init?(_ texts: [String]) {
        var ranges: [AddressRange] = []
        for text in texts {
            guard let range = AddressRange(text) else { return nil }
            ranges.append(range)
        }
        self.ranges = ranges
    }

    /// The visitor behind a peer: the right-most address of X-Forwarded-For that is no proxy of ours.
    func visitor(_ peer: String, _ forwarded: String) -> String {
        guard isTrusted(peer) else { return peer }
        let hops = forwarded.split(separator: ",").map { String($0).trimmed }
        return hops.last { !isTrusted($0) && AddressRange.bytes($0) != nil } ?? peer
    }

    private func isTrusted(_ address: String) -> Bool { ranges.contains { $0.contains(address) } }
}

/// An address, or all that begin with the same bits.
struct AddressRange: Sendable {
    private let start: [UInt8]
    private let bits: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let first = parts.first, let start = Self.bytes(String(first)) else { return nil }
        let bits = parts.count > 1 ? Int(parts[1]) : start.count * 8
        guard let bits, (0...(start.count * 8)).contains(bits) else { return nil }
        self.start = start
        self.bits = bits
    }

    func contains(_ address: String) -> Bool {
        guard let bytes = Self.bytes(address), bytes.count == start.count else { return false }
        return (0..<bits).allSatisfy { bit in
            let mask = UInt8(0x80) >> (bit % 8)
            return bytes[bit / 8] & mask == start[bit / 8] & mask
        }
    }

    /// The bytes of an address in text; nil for text that is none.
    static func bytes(_ text: String) -> [UInt8]? {
        guard text.contains(":") else {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            return parts.count == 4 ? parts.compactMap(\.self).count == 4 ? parts.compactMap(\.self) : nil : nil
        }
        let halves = text.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        func groups(_ half: Substring) -> [UInt8]? {
            var bytes: [UInt8] = []
            for group in half.split(separator: ":", omittingEmptySubsequences: true) {
                guard let value = UInt16(group, radix: 16) else { return nil }
                bytes += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
            }
            return bytes
        }
        guard let head = groups(halves[0]) else { return nil }
        guard halves.count > 1 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1]), head.count + tail.count < 16 else { return nil }
        return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
    }
}
