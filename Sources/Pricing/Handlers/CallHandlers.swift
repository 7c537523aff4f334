import PricingProtocol
import RPCTransport

/// Methods that are one SQL function each: the method's effect says how it is called.
struct CallHandlers: Sendable {
    let database: Database
    let feed: EventFeed
    let ticker: Ticker

    /// Calls after which a tick may be due earlier: the clock moved, a pin will end, or products that failed are tried again.
    private static let movesTick: Set<String> = [
        "price.pin", "clock.set", "pricing.resume", "rule.activate", "audit.repair",
    ]

    /// A handler for each method that no other room answers.
    func handlers(beside answered: Set<String>) -> [String: Dispatcher.Handler] {
        AllMethods.byName.filter { !answered.contains($0.key) }.mapValues { method in
            method.effect == .write ? write : read
        }
    }

    private func read(_ context: CallContext) async throws(PricingFailure) -> RPCReply {
        context.reply(try await database.read(context))
    }

    private func write(_ context: CallContext) async throws(PricingFailure) -> RPCReply {
        let answer = try await database.write(context)
        if !context.meta.isDryRun {
            feed.kick()
            if Self.movesTick.contains(context.method.name) { ticker.kick() }
        }
        return context.reply(answer)
    }
}
