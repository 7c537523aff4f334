import JSON

/// Checks of a rule before it is in force: what it must not do, and what it would have done.
enum RuleProofs {
    private static let step = ObjectShape.result(
        "WalkStep",
        [.count("step", "Counts from 1."), .stock, .money("price", "The price after it.")]
    )

    private static let finding = ObjectShape.result(
        "RuleFinding",
        [
            Field("code", .name(1...50), "What is wrong, such as RATCHET_DOWN."),
            Field("severity", .choice(["error", "warning"]), "rule.create refuses errors."),
            .text("message", "The same in one sentence."), Field.productId.optional, Field.sku.optional,
            Field("productIds", .list(Field.productId.schema, 1...20), "The first of the products meant.").optional,
            Field.count("count", "How many they are in all.").optional,
            Field(
                "counterexample",
                .object(.result([Field("trace", .list(.object(step), 1...100), "A walk that shows it.")])),
                "Computed, step by step."
            ).optional,
        ]
    )

    private static let paths: [Field] = [
        .count("changes", "How often the price moved."), .count("reversals", "How often it turned round."),
        .count("limitHits", "Moves that floor, ceiling or daily cap bound."),
        .sum("charged", "For the units that were sold and kept."),
    ]

    private static let path: [Field] =
        paths + [
            .money("lowest", "The lowest price."), .money("highest", "The highest price."),
            .money("lastPrice", "The price at the end."),
            Field("path", .list(.any, 0...101), "{at, price, stock, guard?} of its changes, thinned beyond 100."),
        ]

    private static let took = ObjectShape.result([
        .count("declarations", "Changed declarations."), .count("pins", "Pins set and taken away."),
        .count("approvals", "Approved moves."), .count("halts", "Halts that were of the product."),
        .count("campaigns", "Begins and ends of campaigns that were for it."),
    ])

    private static let difference = ObjectShape.result([
        .time("at", "When the two prices came to differ, or one of them moved while they did."),
        .money("price", "The price of the replay then."), .money("actual", "The price that was charged."),
    ])

    private static let replayed: [Field] = [
        Field("took", .object(took), "What people did in the period, which the replay follows."),
        .count("differences", "How often a price moved and the two differed; 0: the very path that was."),
        Field("differs", .list(.object(difference), 0...20), "The first of these."),
        Field(
            "actual",
            .object(.result(path + [.count("interventions", "Moves that no rule made, such as pins.")])),
            "What really happened."
        ),
    ]

    private static let lint = Method(
        "rule.lint",
        .viewer,
        .read,
        "Proves that a rule neither drifts nor oscillates on its products, or shows a walk in which it does.",
        for: .staff,
        takes: [
            Field.ruleId.optional,
            Field.strategy.optional,
            Field("preset", .choice(["calm", "balanced", "agile"]), "As for rule.create.").optional,
            Field("parameters", .object(ObjectShape(Rules.parameters)), "As for rule.create.").optional,
            .money("basePrice", "Of the product it is tried on; 100.00 unless given.").optional,
            .money("unitCost", "Its cost.", zeroAllowed: true).optional,
            .money("floor", "Its floor; half of base unless given.").optional,
            .money("ceiling", "Its ceiling; twice base unless given.").optional,
            Field.lowStock.optional, Field.highStock.optional,
            Field("normalOrder", .integer(1...1_000_000_000), "Units of a normal order; 1 unless given.").optional,
        ],
        gives: .result([
            Field("ok", .boolean, "Whether no finding is an error."),
            .count("products", "How many products it was tried on; 0: on the described one."),
            Field("findings", .list(.object(finding), 0...50), "Errors first."),
        ]),
        errors: [.ruleNotFound],
        isLong: true,
        example: ["strategy": "bands", "parameters": ["basis": "current"]]
    )

    private static let backtest = Method(
        "rule.backtest",
        .viewer,
        .read,
        "Replays the ledger of a period under a rule: what would have been charged for what was sold. No uplift claimed.",
        for: .staff,
        takes: [
            .ruleId, .time("from", "The period's begin; the products' own unless given.").optional,
            .time("to", "Its end; now unless given.").optional,
            Field.productIds.optional,
            Field.categoryId.optional,
            Field("limit", .integer(1...CallLimit.pageRows.value), "Products whose paths are listed; 50 unless given.")
                .optional,
        ],
        gives: .result([
            .ruleId, Field("name", .name(1...200), "The rule's name."), .count("version", "Its version."),
            Field.time("from", "The period's begin.").nullable, .time("to", "Its end."),
            .count("products", "How many products were replayed."),
            .count("differing", "How many of them have another path than the one that was."),
            Field(
                "totals",
                .object(.result(paths + [Field("actual", .object(.result(paths)), "What really happened.")])),
                "Over all of them."
            ),
            Field(
                "items",
                .list(
                    .object(
                        .result(
                            "BacktestedProduct",
                            [.productId, .sku, .text("title", "Its title.")] + path + replayed
                        )
                    ),
                    CallLimit.pageRows.elements(from: 0)
                ),
                "The first of them by id."
            ),
            .skipped, .text("note", "What these figures say, and what they do not."),
        ]),
        errors: [.ruleNotFound, .productNotFound, .categoryNotFound],
        isLong: true,
        example: ["ruleId": 1]
    )

    static let methods = [lint, backtest]
}
