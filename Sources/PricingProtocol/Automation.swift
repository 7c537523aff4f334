import JSON

/// Halts of automation: where it is halted, and how to resume it.
enum Automation {
    private static let scope: [Field] = [
        Field("scope", .choice(["all", "categoryId", "productId"]), "All; with an id it may be left out.").optional,
        Field.categoryId.optional, Field.productId.optional,
    ]

    private static let reason = Field("reason", .name(1...500), "Why, kept and told to subscribers.")

    private static let members: [Field] = [
        .id("haltId", "Its id."), Field("scope", .choice(["all", "category", "product"]), "What stands still."),
        Field.categoryId.nullable, Field.productId.nullable, .sku, .text("reason", "Why."), .text("actor", "Who."),
        .time("at", "Since when."), Field.time("resumedAt", "Until when; null while it lasts.").nullable,
    ]

    private static let halt = ObjectShape.result("Halt", members)

    static let methods: [Method] = [
        Method(
            "pricing.halt",
            .operator,
            .write,
            "Stops automatic prices of a scope where they stand; orders go on.",
            takes: scope + [reason],
            gives: .result(
                members + [.count("products", "How many products keep their price; archived ones do not count.")]
            ),
            errors: [.productNotFound, .categoryNotFound],
            example: ["productId": 1, "reason": "a typing error in the cost"]
        ),
        Method(
            "pricing.resume",
            .operator,
            .write,
            "Lets automatic prices of a scope go on; what was suppressed is seen at once.",
            takes: scope + [reason],
            gives: .result([
                .count("resumed", "How many halts ended: 0 or 1."),
                .count("evaluated", "How many products were priced."), .skipped,
            ]),
            errors: [.productNotFound, .categoryNotFound],
            isLong: true,
            wakesTicker: true,
            example: ["productId": 1, "reason": "the cost is right now"]
        ),
        Method(
            "pricing.halts",
            .viewer,
            .read,
            "Lists halts, newest first.",
            takes: [Field("open", .boolean, "Only those that last.").optional, .limit, .cursor],
            gives: .page(of: halt),
            example: ["open": true]
        ),
    ]
}
