import JSON

/// What moved and who did it, and taking it back.
enum History {
    private static let period: [Field] = [
        Field.time("from", "Not before.").optional, Field.time("to", "Before.").optional,
    ]
    private static let actor = Field("actor", .name(1...200), "Who did it.").optional
    private static let members: [Field] = [
        Field("before", .any, "The members that changed, as they were; null of what was made.").nullable,
        Field("after", .any, "The same as they are."),
    ]
    private static let deed: [Field] = [
        Field(
            "cause",
            .name(1...50),
            """
            call, import, rule (an activated rule took the product over), rollback, tick (a pin ended), generate, or sql: \
            a session that named none.
            """
        ),
        .text("reason", "Why."), .text("actor", "Who."), .time("at", "When."),
    ]

    static let declaration = ObjectShape.result(
        "DeclarationChange",
        [
            .count("sequence", "Numbers the product's changes from 1."),
            Field(
                "kind",
                .choice(["create", "declare", "archive", "restore", "pin", "unpin"]),
                "What was done."
            ),
        ] + members + deed
    )

    static let trail = ObjectShape.result(
        "Deed",
        [
            Field(
                "kind",
                .choice([
                    "create", "declare", "archive", "restore", "pin", "unpin", "rule", "category", "campaign", "halt",
                    "resume", "repair", "approve", "reject",
                ]),
                "What was done: to a product, a rule, a category, a campaign, a proposal, or to automation."
            ),
            Field.productId.nullable, .sku, Field("title", .name(1...200), "The product's title.").nullable,
            Field.ruleId.nullable,
        ] + members + deed
    )

    private static let restored = ObjectShape.result(
        "RolledBackProduct",
        [
            .productId, .sku, Field("title", .name(1...200), "Its title."), .money("old", "The price before the call."),
            .money("new", "The price after it."),
            Field(
                "how",
                .choice(["declaration", "pin", "declaration and pin"]),
                "Whether its declaration was put back, or its price by a pin."
            ),
            Field("declared", .any, "The members that were put back, as they stand now."),
        ]
    )

    private static let left = ObjectShape.result(
        "LeftProduct",
        [.productId, .sku, .text("why", "What stays as it is, and why; STALE: it changed after what the caller saw.")]
    )

    static let methods: [Method] = [
        Method(
            "product.restore",
            .operator,
            .write,
            "Brings an archived product back, priced at once as what is declared anew.",
            takes: [.productId],
            gives: Catalogue.product,
            errors: [.productNotFound],
            example: ["productId": 20]
        ),
        Method(
            "product.history",
            .viewer,
            .read,
            "Lists what was declared of one product, pins included, newest first.",
            takes: [.productId, .limit, .cursor],
            gives: .page(of: declaration),
            errors: [.productNotFound],
            standby: .ifAsked,
            example: ["productId": 1]
        ),
        Method(
            "price.changes",
            .viewer,
            .read,
            "Lists the price changes of all products, newest first.",
            takes: period + [
                Field("cause", .name(1...50), "Made by this: sale, tick, pin, declaration, rule, rollback …").optional,
                actor, Field.ruleId.optional,
                Field("bindingGuard", .name(1...50), "Those that this guard bound.").optional,
                Field("direction", .choice(["up", "down"]), "Only rises, or only falls.").optional,
                Field.categoryId.optional, Field.productIds.optional, .limit, .cursor,
            ],
            gives: .page(of: Prices.change),
            errors: [.productNotFound, .categoryNotFound, .ruleNotFound],
            standby: .ifAsked,
            example: ["direction": "down"]
        ),
        Method(
            "audit.trail",
            .viewer,
            .read,
            "Lists who did what, newest first: declarations, pins, rules, halts, approvals, rollbacks, repairs.",
            takes: [Field.productId.optional, Field.ruleId.optional, actor] + period + [.limit, .cursor],
            gives: .page(of: trail),
            errors: [.productNotFound, .ruleNotFound],
            standby: .ifAsked,
            example: ["actor": "ann"]
        ),
        Method(
            "price.rollback",
            .operator,
            .write,
            "Puts back what people declared, as it stood, and takes back by a pin what automation moved.",
            takes: [
                Field.time("to", "The state before the first change at or after it; or name priceChangeIds.").optional,
                Field(
                    "priceChangeIds",
                    .list(.integer(1...JSONValue.largestExactInteger), CallLimit.pageRows.elements(from: 1)),
                    "These price changes, and what was declared with them."
                ).optional,
                Field("all", .boolean, "Every product of the catalogue.").optional, Field.categoryId.optional,
                Field.productId.optional, Field.productIds.optional,
                Field("cause", .name(1...50), "Only changes of this cause: import, call, rule, tick, sale …").optional,
                Field("actor", .name(1...200), "Only what this one did.").optional,
                Field(
                    "seen",
                    .integer(0...JSONValue.largestExactInteger),
                    "The stream's number that the dry run gave: a product that changed after it is left alone (STALE)."
                ).optional,
                Field.time("hold", "Until when automation's moves stay taken back; the pricing day's end unless given.")
                    .optional,
                .reason,
            ],
            gives: .result([
                .count("seen", "The stream's number that the call went by."), .time("hold", "The end of its pins."),
                Field("restored", .list(.object(restored), 0...1_000_000), "What was put back."),
                Field("skipped", .list(.object(left), 0...1_000_000), "What was not, or not all of it."),
            ]),
            errors: [.productNotFound, .categoryNotFound, .priceChangeNotFound],
            isLong: true,
            wakesTicker: true,
            example: ["to": "2020-01-01T00:00:00Z", "productIds": [1], "reason": "a wrong file"]
        ),
    ]
}
