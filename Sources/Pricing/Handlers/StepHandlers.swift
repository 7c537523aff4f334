import JSON
import PricingProtocol

/// Long readings in steps, so that progress can be reported and no statement is long. Their SQL function takes the
/// parameters and the `state` that its previous step returned; it returns `{state, done, total, message}`, in the end
/// `{reply}`.
struct StepHandlers: Sendable {
    let database: Database

    var handlers: [String: Dispatcher.Handler] {
        ["audit.verify": run, "rule.backtest": run]
    }

    /// Each step sees the database as it is then; a cancel or a deadline has an effect between steps and within them.
    private func run(_ context: CallContext) async throws(PricingFailure) -> Answer {
        var params = context.params
        while true {
            let answer = try await database.read(context.with(params))
            let step = (try? JSONParser.parse(answer.text.bytes))?.object ?? [:]
            guard let state = step["state"] else {
                let reply = step["reply"]?.object ?? [:]
                return Answer(text: JSONText(reply))
            }
            context.report(
                done: step["done"]?.integer ?? 0,
                total: step["total"]?.integer ?? 0,
                step["message"]?.string ?? ""
            )
            params["state"] = state
        }
    }
}
