import JSON

/// What people who are not of the staff are told of an event: none of its actor, of a reason that somebody typed, of an
/// order in its cause, of cost, limits and model in a declaration; nothing at all of rules, campaigns and automation.
enum EventViews {
    static let all = [price, stock, order, product, category, categoryGone]

    private static let kind = Field("kind", .name(1...50), "What made it.")
    private static let line = ObjectShape.result(
        shown([.productId, .sku, .quantity, .money("unitPrice", "What one unit was charged.")])
    )
    private static let status = Field("status", .name(1...20), "Where it stands.")

    private static let price = view(
        "price",
        before: .object(members([.money("price", "The price charged before.")])),
        after: .object(
            members([
                .money("price", "The price that is charged."), .stock,
                Field("title", .name(1...200), "The product's title."),
                .sku,
            ])
        )
    )

    private static let stock = view(
        "stock",
        before: .object(members([.stock])),
        after: .object(members([.stock]))
    )

    private static let order = view(
        "order",
        before: .nullable(.object(members([status]))),
        after: .object(
            members([
                status, .sum("total", "The sum of its lines."), .customerId,
                Field("lines", .list(.object(line), 0...100), "One a product.").optional,
            ])
        )
    )

    private static let declared: [Field] = [
        Field.sku.optional, Field("title", .name(1...200), "Its title.").optional,
        Field.text("description", upTo: 10_000, "What it is.").optional, Field.categoryId.optional,
        Field("active", .boolean, "Whether it is for sale.").optional,
        Field("archived", .boolean, "Whether it was taken out for good.").optional,
    ]

    private static let product = view(
        "catalogue",
        before: .nullable(.object(members(declared))),
        after: .object(members([.productId] + declared))
    )

    private static let named: [Field] = [
        Field("name", .name(1...200), "Its name.").optional, Field.text("description", "What belongs in it.").optional,
    ]

    /// The causes of a category's events: a campaign for a category names it too, and has a cause of its own.
    private static let causes = Field("kind", .choice(["call", "import", "generate", "sql"]), "What made it.")

    private static let category = view(
        "catalogue",
        before: .nullable(.object(members(named))),
        after: .object(members([.categoryId] + named)),
        kind: causes
    )

    private static let categoryGone = view(
        "catalogue",
        before: .object(members([.categoryId] + named)),
        after: .nullable(.object(members([]))),
        kind: causes
    )

    private static func members(_ fields: [Field]) -> ObjectShape { .result(shown(fields)) }

    /// A dry run's event has no number yet.
    private static func view(_ topic: String, before: Schema, after: Schema, kind: Field = kind) -> ObjectShape {
        .result(
            shown([
                Field.count("sequence", "Its number in the stream.").optional, Field.time("at", "When.").optional,
                Field("topic", .choice([topic]), "What kind."), Field("op", .name(1...50), "What became of it."),
                .count("key", "The id of the thing."), Field("before", before, "What changed, as it was."),
                Field("after", after, "What changed, as it is."), Field("cause", .object(members([kind])), "{kind}."),
            ])
        )
    }
}
