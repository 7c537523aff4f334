import JSON

/// Quotes: price and stock of an offer, held together for a customer until a moment.
enum Quotes {
    static let quoteId = Field.id("quoteId", "A quote's id.")

    private static let status = Schema.choice(["open", "ordered", "released", "expired"])

    private static let ttl = Field(
        "ttlSeconds",
        .integer(1...86_400),
        "How long from now it holds, in seconds; 900 unless given, and never beyond 24 hours after it was made."
    ).optional

    private static let line = ObjectShape.result(
        "QuoteLine",
        shown([
            .productId, .sku, Field("title", .name(1...200), "The product's title when it was quoted."), .quantity,
            .money("unitPrice", "What one unit costs at most under this quote."),
        ])
    )

    private static let quote = ObjectShape.result(
        "Quote",
        shown([
            quoteId, .customerId, .text("customerName", "For whom."),
            Field("status", status, "open; or how it ended: ordered, released, or expired."),
            .time("expiresAt", "Until when it holds."),
            Field("lines", .list(.object(line), 1...100), "One a product, in product order."),
            .sum("total", "The sum of its lines."),
            Field.id("orderId", "The order that it became.").nullable,
            .time("createdAt", "When it was made."), Field.time("closedAt", "When it ended.").nullable,
        ]) + [.text("reason", "Why it was released."), .text("actor", "Who made it.")]
    )

    static let methods: [Method] = [
        Method(
            "quote.create",
            .operator,
            .write,
            "Holds stock and prices together for a customer, all lines or none; it expires by itself.",
            for: .customer,
            takes: [.customerId, Orders.wantedLines, ttl],
            gives: quote,
            errors: [.userNotFound, .productNotFound, .productArchived, .insufficientStock, .priceChanged],
            example: ["customerId": 1, "lines": [["productId": 1, "quantity": 1]], "ttlSeconds": 600]
        ),
        Method(
            "quote.get",
            .viewer,
            .read,
            "Gives one quote.",
            for: .customer,
            takes: [quoteId],
            gives: quote,
            errors: [.quoteNotFound],
            example: ["quoteId": 1]
        ),
        Method(
            "quote.list",
            .viewer,
            .read,
            "Lists quotes, newest first.",
            for: .customer,
            takes: [
                Field.customerId.optional, Field("status", status, "Only this status.").optional,
                Field.productId.optional, .limit, .cursor,
            ],
            gives: .page(of: quote),
            errors: [.productNotFound],
            example: ["status": "open"]
        ),
        Method(
            "quote.extend",
            .operator,
            .write,
            "Lets an open quote hold longer, at the prices that it has.",
            for: .customer,
            takes: [quoteId, ttl],
            gives: quote,
            errors: [.quoteNotFound, .quoteExpired],
            example: ["quoteId": 1, "ttlSeconds": 900]
        ),
        Method(
            "quote.release",
            .operator,
            .write,
            "Lets go of what a quote holds; one that is closed stays as it is.",
            for: .customer,
            takes: [quoteId, .reason],
            gives: quote,
            errors: [.quoteNotFound],
            example: ["quoteId": 1, "reason": "changed their mind"]
        ),
    ]
}
