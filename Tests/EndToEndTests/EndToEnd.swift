import PricingTestSupport
import Testing

/// All tests of the real daemon, one after another: each has the two cores that a call's deadline counts on.
@Suite(
    .serialized,
    .enabled(if: TestCluster.isAvailable, needsServer),
    .timeLimit(.minutes(2))
)
enum EndToEnd {}
