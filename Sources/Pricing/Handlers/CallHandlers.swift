import JSONRPC
import PricingProtocol

/// Methods that are one SQL function each: the method's effect says how it is called.
struct CallHandlers: Sendable {
    let database: Database
    let intake: OrderIntake
    let feed: EventFeed
    let ticker: Ticker

    /// A handler for each method that names an SQL function.
    var handlers: [String: Dispatcher.Handler] {
        var handlers: [String: Dispatcher.Handler] = [:]
        for (name, function) in CallStatements.functions {
            guard let method = AllMethods.byName[name] else { continue }
            switch method.effect {
            case .read, .session:
                handlers[name] = { context async throws(PricingFailure) in
                    context.reply(try await database.read(function, context))
                }
            case .write:
                handlers[name] = { context async throws(PricingFailure) in
                    context.reply(try await write(function, context))
                }
            }
        }
        handlers["order.place"] = { context async throws(PricingFailure) in
            // A dry run is no order: it must not share a commit with any.
            if context.meta.isDryRun { return context.reply(try await database.write("place_order", context)) }
            return context.reply(try await intake.place(context).get())
        }
        return handlers
    }

    private func write(_ function: String, _ context: CallContext) async throws(PricingFailure) -> Database.Answer {
        let answer = try await database.write(function, context)
        if !context.meta.isDryRun {
            feed.kick()
            if context.method.name == "price.pin" || context.method.name == "clock.set" { ticker.kick() }
        }
        return answer
    }
}
