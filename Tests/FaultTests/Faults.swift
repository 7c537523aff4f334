import Foundation
import PricingTestSupport
import Testing

/// The fault matrix: whatever breaks, what was acknowledged is there once, and everything adds up. Each test breaks one thing
/// under load, and `Trial.expectKept` judges every one of them by the same rules. One after another, since what is asked of
/// the daemon has deadlines.
@Suite(
    .serialized,
    .enabled(if: TestCluster.isAvailable, needsServer),
    .timeLimit(patience)
)
enum Faults {
    /// For tests that share one.
    static let daemon = Task { try await TestDaemon.start(isSandbox: false) }
}

/// Whether the release counts are asked for.
let isLong = ProcessInfo.processInfo.environment["PRICINGD_LONG"] == "1"

/// How often a fault is made. Where none of n rounds fails, the rate of failure is below 3 in n: twenty in a release, and
/// sixty where a commit may be lost.
let rounds = isLong ? 20 : 1
let commitRounds = isLong ? 60 : 1

private let patience: TimeLimitTrait.Duration = .minutes(isLong ? 120 : 2)
