import JSON

/// Pricing rules: versioned, never edited in place.
enum Rules {
    private static let share = Schema.number(0...10)

    static let parameters: [Field] = [
        Field("up", .number(0...1), "bands: the share of base added when stock is low; 0.1 unless given.").optional,
        Field("down", .number(0...0.95), "bands: the share of base taken off when stock is high; 0.1 unless given.")
            .optional,
        Field(
            "gap",
            .number(0...0.45),
            "bands: how far past a threshold stock must come back, as a share of the distance."
        )
        .optional,
        Field("tickSeconds", .integer(3600...86_400), "Seconds between ticks: 3600, 21600 or 86400.").optional,
        Field("bandTick", .number(0...1), "Dead band on a tick, as a share of the posted price.").optional,
        Field("bandStock", .number(0...1), "Dead band on a stock change, at least the one on a tick.").optional,
        Field(
            "leastRise",
            share,
            "Strategies that model demand: the least rise made, as a share of base / elasticity; more as a season ends."
        )
        .optional,
        Field("leastFall", share, "The least fall, likewise.").optional,
        Field("dailyCap", .number(0.0001...10), "The most that a day may move a price, as a share; null for none.")
            .nullable.optional,
        Field("minimumMargin", share, "The least margin on unit cost, as a share; lifts the floor.").optional,
        Field(
            "priceStep",
            .money(minimumHundredths: 1),
            "Prices are multiples of it, less the offset; below half of it they are rounded to the cent."
        )
        .optional,
        Field("priceOffset", .money(minimumHundredths: 0), "0.01 with a step of 1.00 gives x.99.").optional,
        Field("coverDays", .number(1...3650), "Days that stock should last where no season ends; 30 unless given.")
            .optional,
        Field("cooldownSeconds", .integer(0...2_592_000), "Least time between two moves of a price; 0 unless given.")
            .optional,
        Field("neverUp", .boolean, "markdown: no automatic rise before the declaration changes; no unless given.")
            .optional,
        Field("fromShop", .boolean, "learn: estimates begin with what the shop's sales have shown; yes unless given.")
            .optional,
        Field(
            "approveAbove",
            share,
            "Moves of more than this share of the posted price wait for a person's yes; 0: all do; null: none."
        )
        .nullable.optional,
        Field(
            "signal",
            .choice(["committed", "available", "on_hand"]),
            """
            What counts as stock: what was not sold (committed, unless given), that less what quotes hold (available), \
            or with what was sold and is not completed (on_hand).
            """
        )
        .optional,
        Field(
            "basis",
            .choice(["base", "current"]),
            "bands: what a step is a share of; of the current price it drifts."
        )
        .optional,
    ]

    static let rule = ObjectShape.result(
        "Rule",
        [
            .ruleId, Field("name", .name(1...200), "Its name, shared by its versions."),
            .count("version", "Counts up under the name."),
            .strategy,
            Field("status", .choice(["draft", "active", "retired"]), "At most one version of a name is active."),
            Field("parameters", .object(.result(parameters)), "Its parameters, guards among them."),
            .text("note", "What it is for."), .text("actor", "Who made it."), .time("createdAt", "When."),
            Field.time("activatedAt", "When it came into force.").nullable,
        ]
    )

    private static let warning = ObjectShape.result(
        "RuleWarning",
        [
            Field("code", .name(1...50), "As of rule.lint, such as STEP_TOO_LARGE."),
            .text("message", "The same in one sentence."), Field.productId.optional, Field.sku.optional,
            Field("productIds", .list(Field.productId.schema, 1...20), "The first of the products meant.").optional,
            Field.count("count", "How many they are in all.").optional,
        ]
    )

    private static let inForce = ObjectShape.result(
        rule.fields + [
            .count("productsMoved", "How many products it took over."), .skipped,
            Field("warnings", .list(.object(warning), 0...10), "What it makes of them that may surprise."),
        ]
    )

    static let methods: [Method] = [
        Method(
            "rule.list",
            .viewer,
            .read,
            "Lists rule versions by id.",
            for: .staff,
            takes: [
                Field("status", .choice(["draft", "active", "retired"]), "Only this status.").optional,
                Field.id("ruleId", "Only the versions of this one's name.", completes: "rule").optional, .limit,
                .cursor,
            ],
            gives: .page(of: rule),
            errors: [.ruleNotFound],
            example: [:]
        ),
        Method(
            "rule.get",
            .viewer,
            .read,
            "Gives one rule version.",
            for: .staff,
            takes: [.ruleId],
            gives: rule,
            errors: [.ruleNotFound],
            example: ["ruleId": 1]
        ),
        Method(
            "rule.create",
            .operator,
            .write,
            "Makes the next version under a name, as a draft.",
            for: .staff,
            takes: [
                Field("name", .name(1...200), "A new name, or one that has versions."),
                .strategy,
                Field("preset", .choice(["calm", "balanced", "agile"]), "Tick, dead bands and cap; calm unless given.")
                    .optional,
                Field("parameters", .object(ObjectShape(parameters)), "What differs from the preset.").optional,
                Field.text("note", "What it is for.").optional,
            ],
            gives: rule,
            errors: [.ruleInvalid],
            example: ["name": "bolder", "strategy": "bands", "parameters": ["up": .decimal("0.2")]]
        ),
        Method(
            "rule.activate",
            .operator,
            .write,
            "Puts a version into force for its name's products and those named besides; prices them at once.",
            for: .staff,
            takes: [
                .ruleId,
                Field("all", .boolean, "Every product of the catalogue.").optional,
                Field.categoryId.optional,
                Field.productIds.optional,
            ],
            gives: inForce,
            errors: [
                .ruleNotFound, .ruleInvalid, .outsideLimits, .categoryNotFound, .productNotFound, .productArchived,
            ],
            isLong: true,
            wakesTicker: true,
            example: ["ruleId": 2, "productIds": [14]]
        ),
        Method(
            "rule.revise",
            .operator,
            .write,
            "Makes the next version under a rule's name, with some parameters changed, and puts it into force.",
            for: .staff,
            takes: [
                .ruleId,
                Field("parameters", .object(ObjectShape(parameters)), "What differs from the version that is named."),
                Field.text("note", "What it is for.").optional,
            ],
            gives: inForce,
            errors: [.ruleNotFound, .ruleInvalid, .outsideLimits],
            isLong: true,
            wakesTicker: true,
            example: ["ruleId": 1, "parameters": ["up": .decimal("0.2")]]
        ),
        Method(
            "rule.retire",
            .operator,
            .write,
            "Takes a version out of use; refused while anything follows it.",
            for: .staff,
            takes: [.ruleId],
            gives: rule,
            errors: [.ruleNotFound, .ruleInvalid],
            example: ["ruleId": 7]
        ),
    ]
}
