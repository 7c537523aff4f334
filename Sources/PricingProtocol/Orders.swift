import JSON

/// Orders. All lines of an order are placed or none, and no unit is sold twice.
enum Orders {
    private static let status = Schema.choice(["pending", "processing", "completed", "cancelled", "returned"])

    static let line = ObjectShape.result(
        "OrderLine",
        shown([.productId, .sku, .quantity, .money("unitPrice", "What one unit was charged.")])
    )

    private static let keptLine = ObjectShape.result(
        "KeptLine",
        shown([
            .productId, .sku, Field("title", .name(1...200), "The product's title when it was bought."), .quantity,
            .money("unitPrice", "What one unit was charged."),
            .count("returned", "Units of it that came back."),
        ])
    )

    private static let restock = Field(
        "restock",
        .boolean,
        "Whether what comes back goes on the shelf again: true unless given, false for broken goods."
    ).optional

    private static let move = ObjectShape.result(
        "OrderMove",
        shown([
            Field("from", status, "The status before; null when it was placed.").nullable,
            Field("to", status, "The status after; the same where a part came back."), .time("at", "When."),
        ]) + [.text("reason", "Why."), .text("actor", "Who.")]
    )

    static let order = ObjectShape.result(
        "Order",
        shown([
            .orderId, .customerId, .text("customerName", "Who bought."), Field("status", status, "Where it stands."),
            .sum("total", "The sum of its lines."),
            Field("lines", .list(.object(keptLine), 0...100), "One a product."),
            .text("shippingAddress", "Where it goes."), .time("placedAt", "When."),
        ]) + [.text("actor", "Who placed it.")]
    )

    static let placed = ObjectShape.result(
        "PlacedOrder",
        shown([
            .orderId, .customerId, Field("status", status, "pending."), .sum("total", "The sum of its lines."),
            Field("lines", .list(.object(line), 1...100), "One a product, in product order."),
            Field(
                "priceChanges",
                .list(
                    .object(
                        .result(
                            "PriceMove",
                            shown([
                                .productId, .sku, .money("old", "The price charged."), .money("new", "The price now."),
                            ])
                        )
                    ),
                    0...100
                ),
                "The prices that this order moved."
            ),
            .time("placedAt", "When."),
        ])
    )

    static let wantedLines = Field(
        "lines",
        .list(
            .object(
                ObjectShape(
                    "WantedLine",
                    [
                        .productId, .quantity,
                        Field.money("maxUnitPrice", "Refuse (PRICE_CHANGED) when the price is above it.").optional,
                    ]
                )
            ),
            CallLimit.orderLines.elements(from: 1)
        ),
        "What is wanted; lines on one product are summed."
    )

    static let methods: [Method] = [
        Method(
            "order.place",
            .operator,
            .write,
            "Places an order: all lines or none, at the prices that stand or under a quote.",
            for: .customer,
            takes: [
                .customerId,
                wantedLines.optional,
                Field("shippingAddress", .text(0...500), "Where it goes.").optional,
                Field.id(
                    "quoteId",
                    """
                    The customer's quote: what it holds is sold, each unit at the lower of its price and today's; all of \
                    it where no lines are given. It is closed then, whatever is left of it.
                    """
                ).optional,
            ],
            gives: placed,
            errors: [
                .userNotFound, .productNotFound, .productArchived, .insufficientStock, .priceChanged, .quoteNotFound,
                .quoteExpired,
            ],
            batching: .orders,
            example: ["customerId": 1, "lines": [["productId": 1, "quantity": 1]]]
        ),
        Method(
            "order.get",
            .viewer,
            .read,
            "Gives one order.",
            for: .customer,
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
            for: .customer,
            takes: [
                Field.customerId.optional, Field("status", status, "Only this status.").optional,
                Field.time("from", "Placed not before.").optional, Field.time("to", "Placed before.").optional,
                Field.productId.optional,
                Field(
                    "search",
                    .name(1...200),
                    "Part of the customer's name or e-mail, or of the address, whatever its case; or the order's number."
                ).optional,
                Field(
                    "sort",
                    .choice(["placedAt", "-placedAt", "total", "-total"]),
                    "Order; -placedAt unless given, a minus sign turns it round."
                ).optional,
                .limit, .cursor,
            ],
            gives: .page(of: order),
            errors: [.productNotFound],
            standby: .ifAsked,
            example: ["limit": 2]
        ),
        Method(
            "order.history",
            .viewer,
            .read,
            "Gives the statuses that an order has had, from when and by whom, the oldest first.",
            for: .customer,
            takes: [.orderId],
            gives: .result(shown([.orderId, Field("items", .list(.object(move), 1...1000), "Its moves.")])),
            errors: [.orderNotFound],
            example: ["orderId": 1]
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
            for: .customer,
            takes: [.orderId, restock, .reason],
            gives: order,
            errors: [.orderNotFound, .orderState],
            reserved: [Method.Reserved(member: "restock", except: true, for: .operator)],
            example: ["orderId": 4, "reason": "ordered twice"]
        ),
        Method(
            "order.return",
            .operator,
            .write,
            "Takes a completed order back, whole and exactly once, or a part of it, several times.",
            for: .customer,
            takes: [
                .orderId,
                Field(
                    "lines",
                    .list(
                        .object(ObjectShape("ReturnedLine", [.productId, .quantity])),
                        CallLimit.orderLines.elements(from: 1)
                    ),
                    "What comes back, of a line never more than was bought; all that is left unless given."
                ).optional,
                restock, .reason,
            ],
            gives: order,
            errors: [.orderNotFound, .orderState, .productNotFound],
            reserved: [Method.Reserved(member: "restock", except: true, for: .operator)],
            example: ["orderId": 1, "reason": "does not fit"]
        ),
    ]
}
