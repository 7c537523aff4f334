/// Gathers calls of one method while others are in the database, and carries out together those that wait.
protocol Intake: Sendable {
    /// Takes a call without waiting; `done` is called once with its outcome, on any thread.
    func submit(_ context: CallContext, _ done: @escaping @Sendable (Outcome) -> Void)
}
