import JSON

/// What the pages read: the shop window, and the lines and curves of one product.
enum Browse {
    /// All of it is shown; cost, limits, rule and the number of units are not in it.
    private static let offer = ObjectShape.result(
        "Offer",
        shown([
            .productId, .sku, Field("title", .name(1...200), "Its title."),
            .text("description", upTo: 10_000, "What it is."),
            .categoryId, Field("category", .name(1...200), "The category's name."),
            .money("price", "The price that is charged."),
            Field(
                "availability",
                .choice(["inStock", "fewLeft", "soldOut"]),
                "How much may be sold: fewLeft at the product's low stock or below."
            ),
        ])
    )

    private static let browse = Method(
        "product.browse",
        .viewer,
        .read,
        "Lists what is for sale, as customers see it.",
        for: .public,
        takes: [
            Field("search", .text(0...200), "Text in title, description or SKU, whatever its case and accents.")
                .optional,
            Field.categoryId.optional, Field.productIds.optional,
            Field(
                "sort",
                .choice(["productId", "-productId", "price", "-price", "title", "-title"]),
                "Order, titles as people sort; a minus sign turns it round."
            ).optional,
            .limit, .cursor,
        ],
        gives: .result(
            ObjectShape.page(of: offer).fields
                + shown([.count("sequence", "The event after which events.subscribe goes on from what this shows.")])
        ),
        example: ["search": "mouse", "limit": 2]
    )

    static let methods: [Method] = [browse]
}
