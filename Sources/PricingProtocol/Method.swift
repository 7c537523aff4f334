package import JSON

/// One method, declared once: dispatch, roles, `rpc.discover` and the Protocol page's table come from this value.
package final class Method: Sendable {
    /// What calling it does to the shop.
    package enum Effect: String, Sendable {
        /// Changes nothing.
        case read
        /// Changes data; takes `idempotencyKey` and `dryRun`.
        case write
        /// Changes this connection or the daemon alone.
        case session
    }

    /// How calls that wait at the same time are carried out together.
    package enum Batching: Sendable {
        /// One commit for many orders.
        case orders
        /// One query for the small reads of many products.
        case reads
    }

    /// Whether its calls may be read from a standby, whose data is somewhat old.
    package enum StandbyUse: String, Sendable {
        case never
        /// When the call says `_meta.fresh: false`.
        case ifAsked
        /// Unless the call says `_meta.fresh: true`.
        case unlessFresh
    }

    /// A parameter that needs a higher role than the method itself.
    package struct Reserved: Sendable, Equatable {
        package let member: String
        /// The value that every caller of the method may give.
        package let except: JSONValue?
        package let role: Role
        /// Whether people may give it in a call about themselves.
        package let isFreeForOneself: Bool

        package init(member: String, except: JSONValue? = nil, for role: Role, unlessOneself: Bool = false) {
            self.member = member
            self.except = except
            self.role = role
            isFreeForOneself = unlessOneself
        }
    }

    /// `noun.verb`.
    package let name: String
    /// The least role that may call it.
    package let role: Role
    /// The least audience that may call it: below the staff it stands in the place of the role.
    package let audience: Audience
    package let effect: Effect
    /// One sentence.
    package let summary: String
    package let parameters: ObjectShape
    package let result: ObjectShape
    /// Errors of its own, beside `ErrorCode.common`.
    package let errors: [ErrorCode]
    /// Whether it may run longer than the usual statement limit.
    package let isLong: Bool
    /// Whether its calls go ahead of the queue and ignore the limit of waiting calls.
    package let isUrgent: Bool
    /// Whether a call that succeeded may bring the next tick or campaign forward: the clock moved, a pin or a campaign
    /// will end, or products that failed are tried again.
    package let wakesTicker: Bool
    /// How calls that wait at the same time are carried out together; nil when each is carried out alone.
    package let batching: Batching?
    package let standby: StandbyUse
    package let reserved: [Reserved]
    /// The parameters that are names, whose surrounding blanks are ignored.
    package let names: [String]
    /// The parameters that name by SKU or e-mail what the method's function takes by id; none where it takes names itself.
    package let namings: [Naming]
    /// The admission limit of its calls; nil for most methods.
    package let gate: CallGate?
    /// Whether it cannot be taken back by another call.
    package let isDestructive: Bool
    /// Parameters that work on the demo data. Examples are independent of each other unless `exampleNote` says otherwise.
    package let example: JSONObject
    /// What the example needs besides the demo data, in one sentence.
    package let exampleNote: String?

    package init(
        _ name: String,
        _ role: Role,
        _ effect: Effect,
        _ summary: String,
        for audience: Audience = .seller,
        takes parameters: [Field] = [],
        gives result: ObjectShape,
        errors: [ErrorCode] = [],
        reserved: [Reserved] = [],
        isLong: Bool = false,
        isUrgent: Bool = false,
        wakesTicker: Bool = false,
        batching: Batching? = nil,
        standby: StandbyUse = .never,
        takesNames: Bool = false,
        gate: CallGate? = nil,
        isDestructive: Bool = false,
        example: JSONObject,
        exampleNote: String? = nil
    ) {
        self.name = name
        self.role = role
        self.audience = audience
        self.effect = effect
        self.summary = summary
        let shape = ObjectShape(parameters)
        self.parameters = shape
        self.result = result
        namings = takesNames ? [] : Naming.all(in: shape)
        // What any write may be refused with, since any may say what it expects to change; and what a customer is told
        // who names somebody else.
        let isOfOne = audience <= .customer && shape.fields.contains { ["customerId", "userId"].contains($0.name) }
        let common =
            Naming.errors(namings) + (effect == .write ? [.stale] : []) + (isOfOne ? [ErrorCode.orderNotFound] : [])
        self.errors = errors + common.filter { !errors.contains($0) }
        self.reserved = reserved
        self.isDestructive = isDestructive
        names = shape.fields.filter(\.schema.isName).map(\.name)
        self.isLong = isLong
        self.isUrgent = isUrgent
        self.wakesTicker = wakesTicker
        self.batching = batching
        self.standby = standby
        // Long readings are limited even if their declaration does not say so.
        self.gate = gate ?? (isLong && effect == .read ? .longReads : nil)
        self.example = example
        self.exampleNote = exampleNote
    }

    /// The effect as clients are told it: `destructive` for a write, or an end of the daemon, that cannot be taken back.
    package var effectText: String { isDestructive ? "destructive" : effect.rawValue }

    /// The least role that may give these parameters; nil where none of them is reserved.
    /// - Parameter isOneself: whether it is a person's call about themselves.
    package func reservedRole(for params: JSONObject, isOneself: Bool = false) -> Role? {
        reserved.filter {
            params[$0.member] != nil && params[$0.member] != $0.except && !(isOneself && $0.isFreeForOneself)
        }.map(\.role).max()
    }
}

/// `params._meta`: what a caller may give beside a method's own parameters.
package struct CallMeta: Sendable, Equatable {
    /// Makes a write happen once, however often it is sent.
    package var idempotencyKey: String?
    /// How long the caller waits, in milliseconds from the arrival of the call.
    package var timeoutMs: Int64?
    /// Run for real, report, roll back.
    package var isDryRun = false
    /// Asks for `$/progress` notifications under this token.
    package var progressToken: JSONValue?
    /// Who did it, for the audit trail.
    package var actor: String?
    /// The digest of what a dry run showed: a write that would change anything else is refused.
    package var expect: String?
    /// The token of the login under which the call is made.
    package var login: String?
    /// Whether a read must see all that is committed (true), or may be a standby's (false); nil leaves it to the method.
    package var isFresh: Bool?

    /// The member of `params` that it is.
    package static let member = "_meta"

    package static let shape = ObjectShape(
        "CallMeta",
        [
            Field("idempotencyKey", .name(1...200), "Makes a write happen once, however often it is sent.").optional,
            Field("timeoutMs", .integer(1...86_400_000), "How long the caller waits, in milliseconds.").optional,
            Field("dryRun", .boolean, "Run for real inside a transaction, report, roll back.").optional,
            Field("progressToken", .any, "Asks for $/progress notifications under this token.").optional,
            Field("actor", .name(1...200), "Who did it, kept in the audit trail.").optional,
            Field("expect", .name(1...200), "The dry run's digest: refuse (STALE) to change anything else.").optional,
            Field(
                "fresh",
                .boolean,
                "Of a read: true sees all that is committed; false may be read from a standby, where the method allows it."
            ).optional,
            Field("login", .text(1...200), "The token that login.open gave: the call is made for that person.")
                .optional.secret,
        ]
    )

    package init() {}

    /// Reads an object that fits the shape.
    package init(_ object: JSONObject) {
        idempotencyKey = object["idempotencyKey"]?.string
        timeoutMs = object["timeoutMs"]?.integer
        isDryRun = object["dryRun"]?.bool ?? false
        progressToken = object["progressToken"]
        actor = object["actor"]?.string
        expect = object["expect"]?.string
        login = object["login"]?.string
        isFresh = object["fresh"]?.bool
    }
}

extension CallMeta {
    private static let move = ObjectShape.result(
        shown([.productId, .sku, Field("old", .any, "Before.").nullable, Field("new", .any, "After.").nullable])
    )

    /// What a dry run would have changed.
    package static let changes = ObjectShape.result(
        "Changes",
        shown([
            Field("stock", .list(.object(move), 0...100_000), "Stock that would move."),
            Field("prices", .list(.object(move), 0...100_000), "Prices that would move."),
            Field("events", .list(.object(Events.event), 0...100_000), "The events that it would make."),
        ]) + [Field("guards", .any, "The guards that would bind, {productId, sku, guard} each.")]
    )
}
