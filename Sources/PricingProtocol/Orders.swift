import JSON

/// Orders. All lines of an order are placed or none, and no unit is sold twice.
enum Orders {
    private static let status = Schema.choice(["pending", "processing", "completed", "cancelled", "returned"])

    static let line = ObjectShape.result(
        "OrderLine",
        [.productId, .sku, .quantity, .money("unitPrice", "What one unit was charged.")]
    )

    static let order = ObjectShape.result(
        "Order",
        [
            .orderId, .customerId, Field("status", status, "Where it stands."),
            .sum("total", "The sum of its lines."),
            Field("lines", .list(.object(line), 0...100), "One a product."),
            .text("shippingAddress", "Where it goes."), .time("placedAt", "When."), .text("actor", "Who placed it."),
        ]
    )

    static let placed = ObjectShape.result(
        "PlacedOrder",
        [
            .orderId, .customerId, Field("status", status, "pending."), .sum("total", "The sum of its lines."),
            Field("lines", .list(.object(line), 1...100), "One a product, in product order."),
            Field(
                "priceChanges",
                .list(
                    .object(
                        .result(
                            "PriceMove",
                            [.productId, .sku, .money("old", "The price charged."), .money("new", "The price now.")]
                        )
                    ),
                    0...100
                ),
                "The prices that this order moved."
            ),
            .time("placedAt", "When."),
        ]
    )

    static let methods: [Method] = [
        Method(
            "order.place",
            .operator,
            .write,
            "Places an order: all lines or none, at the prices that stand.",
            takes: [
                .customerId,
                Field(
                    "lines",
                    .list(
                        .object(
                            ObjectShape(
                                "WantedLine",
                                [
                                    .productId, .quantity,
                                    Field.money("maxUnitPrice", "Refuse (PRICE_CHANGED) when the price is above it.")
                                        .optional,
                                ]
                            )
                        ),
                        CallLimit.orderLines.elements(from: 1)
                    ),
                    "What is wanted; lines on one product are summed."
                ),
                Field("shippingAddress", .text(0...500), "Where it goes.").optional,
            ],
            gives: placed,
            errors: [.userNotFound, .productNotFound, .productArchived, .insufficientStock, .priceChanged],
            batching: .orders,
            example: ["customerId": 1, "lines": [["productId": 1, "quantity": 1]]]
        ),
        Method(
            "order.get",
            .viewer,
            .read,
            "Gives one order.",
            takes: [.orderId],
            gives: order,
            errors: [.orderNotFound],
            example: ["orderId": 1]
        ),
        Method(
            "order.list",
            .viewer,
            .read,
            "Lists orders, newest first.",
            takes: [Field.customerId.optional, Field("status", status, "Only this status.").optional, .limit, .cursor],
            gives: .page(of: order),
            example: ["limit": 2]
        ),
        Method(
            "order.advance",
            .operator,
            .write,
            "Moves an order from pending to processing to completed.",
            takes: [.orderId, Field("status", status, "The next status.")],
            gives: order,
            errors: [.orderNotFound, .orderState],
            example: ["orderId": 3, "status": "completed"]
        ),
        Method(
            "order.cancel",
            .operator,
            .write,
            "Cancels an order and restocks it exactly once.",
            takes: [.orderId, .reason],
            gives: order,
            errors: [.orderNotFound, .orderState],
            example: ["orderId": 4, "reason": "ordered twice"]
        ),
        Method(
            "order.return",
            .operator,
            .write,
            "Takes a completed order back and restocks it exactly once.",
            takes: [.orderId, .reason],
            gives: order,
            errors: [.orderNotFound, .orderState],
            example: ["orderId": 1, "reason": "does not fit"]
        ),
    ]
}
