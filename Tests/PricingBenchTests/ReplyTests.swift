import Testing

@testable import pricing_bench
