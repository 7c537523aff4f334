/// A limit of calls, beside those of the transport. `session.hello` and the error for crossing it use this name.
package struct CallLimit: Sendable, Hashable {
    package let name: String
    package let value: Int64

    package init(_ name: String, _ value: Int64) {
        self.name = name
        self.value = value
    }
}

extension CallLimit {
    /// Milliseconds that a call may take unless it says so itself; long methods are exempt.
    package static let requestMs = CallLimit("requestMs", 4000)
    /// Milliseconds that a statement may take unless a call says less or its method is long.
    package static let statementMs = CallLimit("statementMs", 3000)
    /// Milliseconds that a statement waits for a lock.
    package static let lockMs = CallLimit("lockMs", 1000)
    /// Milliseconds that an order may have to wait before it is placed; one that would wait longer is refused at once.
    package static let orderWaitMs = CallLimit("orderWaitMs", 250)
    /// Calls that may wait for a connection to the database when all are busy.
    package static let databaseQueue = CallLimit("databaseQueue", 4096)
    /// Lines of one order.
    package static let orderLines = CallLimit("orderLines", 100)
    /// Rows of one import.
    package static let importRows = CallLimit("importRows", 10_000)
    /// Attempts to sign in a minute, of one account from one address, that may fail.
    package static let loginAttempts = CallLimit("loginAttempts", 5)
    /// Attempts to sign in a minute of one account, wherever from.
    package static let loginAttemptsByAccount = CallLimit("loginAttemptsByAccount", 30)
    /// Rows of a page, and ids that one call may name.
    package static let pageRows = CallLimit("pageRows", 500)

    /// Every limit of calls, as `session.hello` tells them.
    package static let all: [CallLimit] =
        [
            requestMs, statementMs, lockMs, orderWaitMs, databaseQueue, orderLines, importRows, pageRows, loginAttempts,
            loginAttemptsByAccount,
        ]
        + CallGate.all.flatMap { [$0.most, $0.perUser, $0.waiting].compactMap { $0 } }

    /// The lengths that a list may have: from `least` to the limit's value.
    func elements(from least: Int) -> ClosedRange<Int> { least...Int(value) }
}

/// Defaults of optional parameters, as their descriptions in the schema state them.
package enum CallDefault {
    /// `server.drain`: how long it waits for calls in flight, in milliseconds.
    package static let drainMs: Int64 = 5000
    /// `server.complete`: the most values.
    package static let completions: Int64 = 20
    /// `report.run`: the most rows.
    package static let reportRows: Int64 = 100
}

/// The versions of the protocol.
package enum ProtocolVersion {
    /// The version of this build.
    package static let spoken: Int64 = 1
}

/// An admission limit for calls that would occupy the whole daemon if all ran at once. A method's declaration names it.
package struct CallGate: Sendable, Hashable {
    /// Calls that run at the same time at most.
    package let most: CallLimit
    /// How many of them may be of one uid; nil for any number.
    package let perUser: CallLimit?
    /// How many may wait for their turn; nil when a call that does not get in is refused at once.
    package let waiting: CallLimit?
}

extension CallGate {
    /// Readings that may take minutes: each occupies a connection to the database for as long, and there are eight.
    package static let longReads = CallGate(
        most: CallLimit("longReads", 2),
        perUser: CallLimit("longReadsPerUser", 1),
        waiting: nil
    )

    /// Sums over the whole shop. A page of a client shows several at a time, so these calls wait rather than be refused.
    package static let dashboards = CallGate(
        most: CallLimit("dashboards", 1),
        perUser: nil,
        waiting: CallLimit("waitingDashboards", 64)
    )

    /// Checks of a password, each of which costs a core a good part of a second, by design.
    package static let passwordChecks = CallGate(
        most: CallLimit("passwordChecks", 1),
        perUser: nil,
        waiting: CallLimit("waitingPasswordChecks", 16)
    )

    package static let all = [longReads, dashboards, passwordChecks]
}
