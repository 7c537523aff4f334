import Foundation
import JSON
import JSONRPC
import PricingProtocol
import Testing

struct ProtocolPageTests {
    @Test func `its tables of limits have every limit and its value, and no other`() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/pricingd/pricingd.docc/Protocol.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let section = try #require(text.split(separator: "\n## Limits\n").last?.split(separator: "\n## ").first)
        let rows = section.matches(of: /\n\| `([A-Za-z]+)` \| ([0-9]+) \|/).map { "\($0.1) \($0.2)" }
        let limits =
            TransportLimits.defaults.asJSON.map { "\($0.key) \($0.value.integer ?? 0)" }
            + CallLimit.all.map { "\($0.name) \($0.value)" }
        #expect(Set(rows) == Set(limits))
        #expect(rows.count == limits.count)
    }
}
