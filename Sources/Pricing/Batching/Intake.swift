/// Gathers calls of one method while others are in the database, and carries out together those that wait.
protocol Intake: Sendable {
    /// What came of one call.
    typealias Outcome = Result<Database.Answer, PricingFailure>

    /// Takes a call without waiting; `done` is told its outcome once, from any thread.
    func take(_ context: CallContext, _ done: @escaping @Sendable (Outcome) -> Void)
}
