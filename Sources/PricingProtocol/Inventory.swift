import JSON

/// Stock on hand and every movement of it.
enum Inventory {
    static let level = ObjectShape.result(
        "StockLevel",
        [
            .productId, .sku, Field("title", .name(1...200), "The product's title."), .stock,
            Field("held", .integer(0...2_147_483_647), "Units promised to open quotes."),
            Field("available", .integer(0...2_147_483_647), "On hand less held."),
            .lowStock, .highStock,
            Field("level", .choice(["LOW", "NORMAL", "HIGH"]), "Where stock stands between the two."),
            .money("price", "The posted price."),
            Field.time("lastRestockAt", "When stock last came in.").nullable,
        ]
    )

    static let movement = ObjectShape.result(
        "StockMovement",
        [
            .productId, .sku, .count("sequence", "Numbers the product's movements from 1."),
            Field(
                "kind",
                .choice(["initial", "sale", "cancel", "return", "restock", "adjust", "hold", "release", "expire"]),
                "What moved it."
            ),
            Field("quantity", .integer(-2_147_483_648...2_147_483_647), "Units, negative when they left."),
            Field("stockAfter", .integer(0...2_147_483_647), "On hand afterwards."),
            Field.orderId.nullable,
            .text("reason", "Why."), .text("actor", "Who."), .time("at", "When."),
        ]
    )

    static let expectation = ObjectShape.result(
        "Expectation",
        [
            .expectationId, .productId, .sku, .quantity, .count("received", "Units of them that have come."),
            .count("open", "Units that are still to come; 0 once it is closed."),
            .count("overReceived", "Units that came beyond the quantity."),
            .time("eta", "When the goods should arrive."),
            Field("closed", .boolean, "Whether nothing more is expected."),
            Field.text("closedReason", "received, cancelled, or why else.").nullable,
            .text("reason", "Why they were expected."), .text("actor", "Who said so last."),
        ]
    )

    static let moved = ObjectShape.result(
        "StockMoved",
        [
            .productId, .sku, .stock, Field("available", .integer(0...2_147_483_647), "On hand less held."),
            .money("priceBefore", "The posted price before."), .money("priceAfter", "The posted price after."),
            Field(
                "price",
                .object(.result([.money("before", "The posted price before."), .money("after", "And after.")])),
                "The same, as one object."
            ),
        ]
    )

    private static let difference = ObjectShape.result(
        "CountedDifference",
        [
            .productId, .sku, Field("title", .name(1...200), "The product's title."),
            Field("old", .integer(0...2_147_483_647), "Units that were thought to be there."),
            Field("new", .integer(0...2_147_483_647), "Units counted."),
            Field("difference", .integer(-2_147_483_647...2_147_483_647), "New less old."),
            .money("priceBefore", "The posted price before."), .money("priceAfter", "The posted price after."),
        ]
    )

    static let received = ObjectShape.result(
        moved.fields + [Field("expectation", .object(expectation), "What it was received against.").optional]
    )

    static let methods: [Method] = [
        Method(
            "inventory.get",
            .viewer,
            .read,
            "Gives one product's stock.",
            takes: [.productId],
            gives: level,
            errors: [.productNotFound],
            batching: .reads,
            example: ["productId": 1]
        ),
        Method(
            "inventory.list",
            .viewer,
            .read,
            "Lists stock by product.",
            takes: [Field("level", .choice(["LOW", "NORMAL", "HIGH"]), "Only this level.").optional, .limit, .cursor],
            gives: .page(of: level),
            standby: .ifAsked,
            example: ["limit": 2]
        ),
        Method(
            "inventory.lowStock",
            .viewer,
            .read,
            "Lists the products whose stock is low.",
            takes: [.limit, .cursor],
            gives: .page(of: level),
            example: [:]
        ),
        Method(
            "inventory.restock",
            .operator,
            .write,
            "Adds units that came in; against an expectation, which closes once all has come.",
            takes: [.productId, .quantity, Field.expectationId.optional, .reason],
            gives: received,
            errors: [.productNotFound, .productArchived],
            example: ["productId": 1, "quantity": 5]
        ),
        Method(
            "inventory.adjust",
            .operator,
            .write,
            "Corrects stock by a signed number of units.",
            takes: [
                .productId, Field("quantity", .integer(-1_000_000_000...1_000_000_000), "Units, signed, not zero."),
                .reason,
            ],
            gives: moved,
            errors: [.productNotFound, .productArchived, .insufficientStock],
            example: ["productId": 1, "quantity": -1, "reason": "broken"]
        ),
        Method(
            "inventory.count",
            .operator,
            .write,
            "Sets the stock of many products to what was counted, in one transaction; says where that differs.",
            takes: [
                Field(
                    "rows",
                    .list(
                        .object(ObjectShape("CountedStock", [.productId, .stock])),
                        CallLimit.importRows.elements(from: 1)
                    ),
                    "What was counted, a product a row."
                ),
                .reason,
            ],
            gives: .result([
                .count("counted", "How many products were counted."),
                Field(
                    "differences",
                    .list(.object(difference), CallLimit.importRows.elements(from: 0)),
                    "Those whose stock was another, in product order; each an adjustment in its ledger."
                ),
            ]),
            errors: [.productNotFound, .productArchived, .insufficientStock],
            isLong: true,
            example: ["rows": [["productId": 1, "stock": 16]], "reason": "stock-take"]
        ),
        Method(
            "inventory.expect",
            .operator,
            .write,
            "Says that goods are on their way; with an expectationId it changes what was said of them.",
            takes: [
                Field.expectationId.optional,
                Field.productId.optional, Field.quantity.optional,
                Field.time("eta", "When they should arrive; in the future.").optional, .reason,
            ],
            gives: expectation,
            errors: [.productNotFound, .productArchived],
            example: ["productId": 1, "quantity": 40, "eta": "2099-01-01T00:00:00Z"]
        ),
        Method(
            "inventory.unexpect",
            .operator,
            .write,
            "Says that expected goods, or the rest of them, come no more.",
            takes: [.expectationId, .reason],
            gives: expectation,
            example: ["expectationId": 1, "reason": "the supplier cancelled"]
        ),
        Method(
            "inventory.expectations",
            .viewer,
            .read,
            "Lists the deliveries still expected, the earliest first.",
            takes: [Field.productId.optional, .limit, .cursor],
            gives: .page(of: expectation),
            example: [:]
        ),
        Method(
            "inventory.movements",
            .viewer,
            .read,
            "Lists one product's stock ledger, newest first.",
            takes: [.productId, .limit, .cursor],
            gives: .page(of: movement),
            errors: [.productNotFound],
            standby: .ifAsked,
            example: ["productId": 1]
        ),
    ]
}
