import PricingProtocol
import Testing

@testable import Pricing

struct SharedReadTests {
    @Test func `every method that is batched as a read has its query, and no other`() {
        let batched = Set(AllMethods.list.filter { $0.batching == .reads }.map(\.name))
        #expect(batched == Set(SharedRead.allCases.map(\.rawValue)))
    }
}
