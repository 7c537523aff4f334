import JSON

/// What the pages read: the shop window, and the lines and curves of one product.
enum Browse {
    /// All of it is shown; cost, limits, rule and the number of many units are not in it.
    private static let members: [Field] = shown([
        .productId, .sku, Field("title", .name(1...200), "Its title."),
        .text("description", upTo: 10_000, "What it is."),
        .categoryId, Field("category", .name(1...200), "The category's name."),
        .money("price", "The price that is charged."),
        Field(
            "availability",
            .choice(["inStock", "fewLeft", "soldOut"]),
            "How much may be sold: fewLeft at the product's low stock or below."
        ),
        Field("unitsLeft", .integer(1...10), "How many, where they are few; else null.").nullable,
    ])

    private static let offer = ObjectShape.result("Offer", members)

    private static let reduction = ObjectShape.result(
        "Reduction",
        shown([
            .money("lowest30", "The lowest price of the 30 days before it began."),
            Field("percentOff", .integer(1...100), "By how much the price lies below it, in whole percent."),
            .time("since", "When it began."),
        ])
    )

    private static let one = Method(
        "product.offer",
        .viewer,
        .read,
        "Gives one product as customers see it, with why it costs what it costs.",
        for: .public,
        takes: [.productId],
        gives: .result(
            members
                + shown([
                    .text("why", "Why it costs what it costs, in a sentence for buyers."),
                    Field(
                        "reduction",
                        .object(reduction),
                        "The reduction that may truthfully be announced; null where there is none."
                    ).nullable,
                ])
        ),
        errors: [.productNotFound],
        example: ["productId": 1]
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

    private static let point = ObjectShape.result(
        "TimelinePoint",
        [
            .time("at", "When it changed."), .money("price", "The price charged from then on."), .stock,
            Field("cause", .name(1...50), "What changed it; start: what stood before the first change."),
            .text("reason", "Why."),
        ]
    )

    private static let timeline = Method(
        "product.timeline",
        .viewer,
        .read,
        "Gives a product's price and stock over time, the oldest first.",
        takes: [
            .productId, Field.time("from", "Not before; since it was made unless given.").optional,
            Field.time("to", "Before.").optional,
            Field(
                "points",
                .integer(1...2000),
                "The most points, 500 unless given; of more changes each slice of time keeps its extremes."
            ).optional,
        ],
        gives: .result([
            .productId, .sku, Field("title", .name(1...200), "Its title."), .time("from", "The first moment."),
            .time("to", "The last."), Field("items", .list(.object(point), 0...2000), "Its points."),
        ]),
        errors: [.productNotFound],
        standby: .ifAsked,
        example: ["productId": 1, "points": 100]
    )

    private static let curve = Method(
        "price.curve",
        .viewer,
        .read,
        "Gives the posted price at each of several stocks, at this tick.",
        takes: [
            .productId, Field("fromStock", .integer(0...2_147_483_647), "The lowest stock."),
            Field("toStock", .integer(0...2_147_483_647), "The highest."),
            Field("points", .integer(1...500), "How many stocks between them, evenly spread; 100 unless given.")
                .optional,
        ],
        gives: .result([
            .productId, .sku, .stock, .money("price", "The posted price."),
            Field(
                "items",
                .list(
                    .object(.result("CurvePoint", [.stock, .money("price", "The price that would be posted at it.")])),
                    1...500
                ),
                "By stock, the lowest first."
            ),
        ]),
        errors: [.productNotFound],
        example: ["productId": 1, "fromStock": 0, "toStock": 100, "points": 11]
    )

    static let methods: [Method] = [browse, one, timeline, curve]
}
