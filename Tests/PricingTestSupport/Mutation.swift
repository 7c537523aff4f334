import Glibc
package import PricingClient

/// Sound texts made unsound, for tests of what must hold of any bytes.
package enum Mutation {
    /// How many texts a test tries: a minute of one busy core, and ten million with `PRICINGD_LONG=1`.
    package static var rounds: Int {
        unsafe getenv("PRICINGD_LONG") == nil ? 300_000 : 10_000_000
    }

    /// One of the texts, with one to four changes.
    package static func of(_ texts: [String], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = Array(texts[random.below(texts.count)].utf8)
        for _ in 0..<random.below(4) + 1 {
            let place = random.below(bytes.count + 1)
            switch random.below(6) {
            case 0: bytes.insert(UInt8(random.below(256)), at: place)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2 where place < bytes.count: bytes[place] ^= UInt8(1 << random.below(8))
            case 3: bytes.insert(contentsOf: bytes[random.below(bytes.count + 1)...].prefix(8), at: place)
            case 4: bytes.removeSubrange(place...)
            default: bytes.insert(Array("{}[]\",:\\u0ed8\n\r".utf8)[random.below(15)], at: place)
            }
        }
        return bytes
    }
}

extension SplitMix64 {
    /// A number from 0, below `bound`.
    package mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(max(bound, 1)))
    }
}
