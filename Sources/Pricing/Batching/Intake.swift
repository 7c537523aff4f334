/// Gathers calls of one method while others are in the database, and carries out together those that wait.
protocol Intake: Sendable {
    /// Takes a call without waiting; `done` is told its outcome once, from any thread.
    func submit(_ context: CallContext, _ done: @escaping @Sendable (Outcome) -> Void)
}
