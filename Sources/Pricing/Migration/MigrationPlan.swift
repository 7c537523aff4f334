/// What must be done to bring a database up to this binary's scripts: a pure value, made from the scripts, their hashes and
/// the register of what was applied.
package struct MigrationPlan: Sendable, Equatable {
    /// One row of the database's register.
    package struct Applied: Sendable, Equatable {
        package let name: String
        package let hash: String

        package init(name: String, hash: String) {
            self.name = name
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

    /// All code scripts as one, since a type or a name may change in one of them and be used in another.
    package struct Code: Sendable, Equatable {
        package let scripts: [SQLScript]
        package let hash: String

        package init(scripts: [SQLScript], hash: String) {
            self.scripts = scripts
            self.hash = hash
        }
    }

    /// An obstacle in the database, and what to do about it.
    package struct Obstacle: Sendable, Equatable, CustomStringConvertible {
        package let object: String
        package let hint: String

        package init(object: String, hint: String) {
            self.object = object
            self.hint = hint
        }

        package var description: String { "\(object): \(hint)" }
    }

    /// Why a database cannot be migrated.
    package enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        /// A `once` script was changed after it had been applied.
        case edited(String)
        /// The register names a script that this binary does not have.
        case ahead(String)
        /// There are obstacles; nothing was changed.
        case blocked([Obstacle])

        package var description: String {
            switch self {
            case .edited(let name):
                "\(name) was applied and then edited; a change to a once script is the next number"
            case .ahead(let name): "the database has \(name), which this pricingd does not know; use a newer one"
            case .blocked(let obstacles):
                "the database cannot be migrated. " + obstacles.map { "\($0)" }.joined(separator: "; ")
            }
        }
    }

    /// The name under which the register keeps the hash of all code.
    package static let codeName = "code"

    /// Changes of the schema that the database lacks, in order.
    package let once: [Candidate]
    /// The code, unless the database has the same.
    package let code: Code?
    /// Sample rows that were asked for and are missing.
    package let demo: [Candidate]
    /// Whether nothing was ever applied.
    package let isFirst: Bool

    /// Whether there is nothing to do.
    package var isEmpty: Bool { steps.isEmpty }

    /// What is applied, in order, by name.
    package var steps: [String] {
        once.map(\.script.name) + (code == nil ? [] : [Self.codeName]) + demo.map(\.script.name)
    }

    /// - Parameters:
    ///   - scripts: those of kind once and demo, in order.
    ///   - register: the database's list of what was applied.
    /// - Throws: when the register and the scripts contradict each other.
    package init(
        scripts: [Candidate],
        code: Code,
        register: [Applied],
        wantsDemo: Bool
    ) throws(Refusal) {
        let applied = Dictionary(register.map { ($0.name, $0.hash) }, uniquingKeysWith: { _, last in last })
        let known = Set(scripts.map(\.script.name)).union([Self.codeName])
        if let stranger = register.first(where: { !known.contains($0.name) }) { throw .ahead(stranger.name) }
        let changed = scripts.first { script in
            guard script.script.kind == .once, let hash = applied[script.script.name] else { return false }
            return hash != script.hash
        }
        if let changed { throw .edited(changed.script.name) }
        let missing = scripts.filter { applied[$0.script.name] == nil }
        once = missing.filter { $0.script.kind == .once }
        demo = wantsDemo ? missing.filter { $0.script.kind == .demo } : []
        self.code = applied[Self.codeName] == code.hash && once.isEmpty ? nil : code
        isFirst = register.isEmpty
    }
}
