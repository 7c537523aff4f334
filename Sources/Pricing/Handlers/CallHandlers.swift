import PricingProtocol

/// Methods that are one SQL function each: the method's effect says how it is called.
struct CallHandlers: Sendable {
    let database: Database
    let feed: EventFeed
    let ticker: Ticker
    let campaigns: CampaignKeeper

    /// A handler for each method that no other set of handlers answers.
    func handlers(beside answered: Set<String>) -> [String: Dispatcher.Handler] {
        AllMethods.byName.filter { !answered.contains($0.key) }.mapValues { method in
            method.effect == .write ? write : read
        }
    }

    private func read(_ context: CallContext) async throws(PricingFailure) -> Answer {
        try await database.read(context)
    }

    private func write(_ context: CallContext) async throws(PricingFailure) -> Answer {
        let answer = try await database.write(context)
        if !context.meta.isDryRun {
            feed.kick()
            if context.method.wakesTicker {
                ticker.kick()
                campaigns.kick()
            }
        }
        return answer
    }
}
