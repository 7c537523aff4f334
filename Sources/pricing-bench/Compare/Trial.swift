import JSON
import PricingClient
import RPCTransport

/// Loads a daemon of our own, one load after another, none of which pays for the one before.
struct Trial: Sendable {
    /// Full load: so many calls in flight, over 8 connections unless said otherwise.
    static let inFlight = 256
    /// How long the daemon may number events before the next run begins, in seconds.
    private static let settling = 60

    let socket: String
    let shop: ShopIDs
    let seconds: Int

    /// One load.
    /// - Parameters:
    ///   - depth: calls in flight on each connection; by default the connections share full load.
    ///   - path: another server's socket instead of the daemon's.
    ///   - reasons: those for which calls may be refused.
    /// - Throws: `Failed` when any call was refused otherwise or got no answer; what `LoadRun` throws.
    func load(
        _ work: Work,
        connections: Int = 8,
        depth: Int? = nil,
        rate: Double? = nil,
        of path: String? = nil,
        mayRefuse reasons: Set<String> = []
    ) async throws -> LoadReport {
        try await settle()
        return try await unsettled(
            work,
            connections: connections,
            depth: depth,
            rate: rate,
            of: path,
            mayRefuse: reasons
        )
    }

    /// One load on a daemon that may still be busy.
    func unsettled(
        _ work: Work,
        connections: Int = 8,
        depth: Int? = nil,
        rate: Double? = nil,
        of path: String? = nil,
        mayRefuse reasons: Set<String> = []
    ) async throws -> LoadReport {
        let depth = depth ?? max(1, Self.inFlight / connections)
        let plan = LoadPlan(work: work, connections: connections, depth: depth, seconds: seconds, rate: rate)
        let report = try await LoadRun.run(plan, shop: shop, socket: path ?? socket)
        if let (reason, count) = report.refused.first(where: { !reasons.contains($0.key) }) {
            throw Failed(work: work, count: count, reason: reason)
        }
        // They would be missing from the slow end.
        let missing = report.unanswered + report.unsent
        if missing > 0 { throw Failed(work: work, count: missing, reason: "no answer in time") }
        return report
    }

    /// Calls that are not expected to fail.
    struct Failed: Error, CustomStringConvertible {
        let work: Work
        let count: Int64
        let reason: String

        var description: String { "\(count) calls of \(work.rawValue) failed: \(reason)" }
    }

    /// Waits until the daemon has numbered the events of the run before. An order of its own tells it to look: the rival
    /// does not.
    func settle() async throws {
        guard let customer = shop.customers.first, let product = shop.products.last else { return }
        let client = try await RPCClient.connect(socket: socket)
        _ = try await client.call(
            "order.place",
            ["customerId": .integer(customer), "lines": [["productId": .integer(product), "quantity": 1]]]
        )
        let patience = Moment.now() + Int64(Self.settling) * Moment.second
        while Moment.now() < patience {
            let text = try await client.call("server.metrics")["text"]?.string ?? ""
            if text.contains("\npricingd_events_unnumbered 0\n") { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        await client.close()
    }
}
