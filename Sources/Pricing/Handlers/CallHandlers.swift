import PricingProtocol

/// Methods that are one SQL function each: the method's effect says how it is called.
struct CallHandlers: Sendable {
    let database: Database
    let feed: EventFeed
    let ticker: Ticker

    /// A handler for each method that names an SQL function.
    var handlers: [String: Dispatcher.Handler] {
        CallStatements.functions.reduce(into: [:]) { all, entry in
            let isWrite = AllMethods.byName[entry.key]?.effect == .write
            let handler: Dispatcher.Handler = isWrite ? writing(entry.value) : reading(entry.value)
            all[entry.key] = handler
        }
    }

    private func reading(_ function: String) -> Dispatcher.Handler {
        { context async throws(PricingFailure) in try await read(function, context) }
    }

    private func writing(_ function: String) -> Dispatcher.Handler {
        { context async throws(PricingFailure) in try await write(function, context) }
    }

    private func read(_ function: String, _ context: CallContext) async throws(PricingFailure) -> Answer {
        try await database.read(function, context)
    }

    private func write(_ function: String, _ context: CallContext) async throws(PricingFailure) -> Answer {
        let answer = try await database.write(function, context)
        if !context.meta.isDryRun {
            feed.kick()
            if context.method.wakesTicker { ticker.kick() }
        }
        return answer
    }
}
