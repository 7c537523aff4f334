/// What must be done to bring a database to the scripts at hand: a pure value of scripts, their hashes and the ledger.
package struct MigrationPlan: Sendable, Equatable {
    /// One row of the database's ledger.
    package struct Applied: Sendable, Equatable {
        package let number: Int
        package let name: String
        package let kind: String
        package let hash: String

        package init(number: Int, name: String, kind: String, hash: String) {
            self.number = number
            self.name = name
            self.kind = kind
            self.hash = hash
        }
    }

    /// A script and the hash of its text, computed by the server.
    package struct Candidate: Sendable, Equatable {
        package let script: SQLScript
        package let hash: String

        package init(script: SQLScript, hash: String) {
            self.script = script
            self.hash = hash
        }
    }

    /// Why a database cannot be migrated.
    package enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        /// A `once` script was changed after it had been applied.
        case edited(String)
        /// The ledger names a script that this binary does not have.
        case ahead(String)

        package var description: String {
            switch self {
            case .edited(let name):
                "\(name) was applied and then edited; a change to a once script is the next number"
            case .ahead(let name): "the database has \(name), which this pricingd does not know; use a newer one"
            }
        }
    }

    /// The scripts to run, in order.
    package let steps: [Candidate]
    /// Whether the database has no ledger rows at all.
    package let isFirst: Bool

    /// Whether there is nothing to do.
    package var isEmpty: Bool { steps.isEmpty }

    /// - Throws: when the ledger and the scripts contradict each other.
    package init(scripts: [Candidate], ledger: [Applied], wantsDemo: Bool) throws(Refusal) {
        let applied = Dictionary(ledger.map { ($0.number, $0) }, uniquingKeysWith: { _, last in last })
        let known = Set(scripts.map(\.script.number))
        if let stranger = ledger.first(where: { !known.contains($0.number) }) { throw .ahead(stranger.name) }
        var once: [Candidate] = []
        var repeatable: [Candidate] = []
        var demo: [Candidate] = []
        for candidate in scripts {
            let row = applied[candidate.script.number]
            switch candidate.script.kind {
            case .once:
                if let row, row.hash != candidate.hash { throw .edited(candidate.script.name) }
                if row == nil { once.append(candidate) }
            case .repeatable: if row?.hash != candidate.hash { repeatable.append(candidate) }
            case .demo: if row == nil, wantsDemo { demo.append(candidate) }
            case .bench, .queries: break
            }
        }
        steps = once + repeatable + demo
        isFirst = ledger.isEmpty
    }
}
