import JSON

/// Prices: read, explained, previewed, pinned; and the clock they follow.
enum Prices {
    static let posted = ObjectShape.result(
        "PostedPrice",
        shown([
            .productId, .sku, .money("price", "The price that is charged."),
            .count("version", "Counts the price's changes."),
        ]) + [.money("regularPrice", "The price without campaigns.")]
    )

    static let change = ObjectShape.result(
        "PriceChange",
        [
            .id("priceChangeId", "Its id."), .productId, .sku, Field("title", .name(1...200), "The product's title."),
            .count("sequence", "Numbers the product's changes from 1."),
            .money("old", "The price before."), .money("new", "The price after."),
            .money("oldRegular", "The price before without campaigns."),
            .money("newRegular", "The price after without campaigns."), .stock,
            Field(
                "rule",
                .object(
                    .result([
                        .ruleId, Field("name", .name(1...200), "The rule's name."),
                        .count("version", "Its version."), Field("strategy", .name(1...50), "Its strategy."),
                    ])
                ),
                "The rule version in force."
            ),
            Field("bindingGuard", .name(1...50), "The first guard that bound.").nullable,
            Field("cause", .name(1...50), "What made it move."), Field.orderId.nullable,
            .text("reason", "Why."), Field("inputs", .any, "Everything that the price was computed from."),
            .text("actor", "Who."), .time("at", "When."),
        ]
    )

    static let step = ObjectShape.result(
        "PriceStep",
        [
            Field(
                "step",
                .name(1...50),
                "strategy, daily_cap, limits, dead_band, rounding, approval, campaign, frozen."
            ),
            .text("before", "The amount before it."), .text("after", "The amount after it."),
            .text("note", "What it did, in words."),
        ]
    )

    static let nextMove = ObjectShape.result(
        "NextMove",
        [
            Field(
                "event",
                .choice(["sales", "restock", "tick", "unpin", "campaign", "approval"]),
                "What would have to happen."
            ),
            Field.id("proposalId", "The proposal, of approval.").optional,
            Field("quantity", .integer(1...2_147_483_647), "So many units, of sales and restock.").optional,
            Field.time("at", "When, of tick, unpin, and a campaign's start or end; null for never.").nullable.optional,
            .money("price", "The posted price then, after all guards."),
        ]
    )

    static let explanation = ObjectShape.result(
        "PriceExplanation",
        [
            .productId, .sku, .money("price", "The posted price; of a preview the price that the steps end at."),
            .money("posted", "The price that stands."),
            .money("regularPrice", "The price without campaigns; of a preview the one that its steps give."),
            Field(
                "campaigns",
                .list(
                    .object(
                        .result(
                            "RunningCampaign",
                            [
                                .id("campaignId", "Its id."), Field("name", .name(1...200), "Its name."),
                                Field("percentOff", .number(0...95), "What it takes off; null: a fixed price.")
                                    .nullable,
                                Field.money("fixedPrice", "Its fixed price; null: a percentage.").nullable,
                                .time("endsAt", "When it ends."),
                                .money("price", "What it alone makes of the regular price."),
                            ]
                        )
                    ),
                    0...1000
                ),
                "The campaigns that run for the product: the lowest price counts."
            ),
            Field.money("wouldBe", "Where the steps end when that is not `price`: halted, or not priced again yet.")
                .nullable,
            .money("basePrice", "The list price."), .stock, Field("strategy", .name(1...50), "The rule's strategy."),
            .ruleId,
            Field("frozen", .name(1...50), "pinned, halted, archived or out_of_stock: why it does not move.").nullable,
            Field("bindingGuard", .name(1...50), "The first guard that bound.").nullable,
            Field("steps", .list(.object(step), 1...20), "From base to the posted price, or to `wouldBe`."),
            Field.money("proposed", "The regular price that waits for a person's yes; null: none does.").nullable,
            Field("proposal", .object(Proposals.note), "The product's open proposal.").nullable,
            Field.money("withoutGuard", "The price if the binding guard did not bind.").nullable,
            Field(
                "next",
                .list(.object(nextMove), 0...10),
                "What would change it next; each comes true if carried out."
            ),
            .text("text", upTo: 10_000, "The same as text."),
        ]
    )

    static let pin = ObjectShape.result(
        "Pin",
        [
            .productId, .sku, .money("price", "The posted price."),
            Field("pinned", .boolean, "Whether it is pinned now."),
            Field.time("until", "When the pin ends; null for never.").nullable,
        ]
    )

    static let methods: [Method] = [
        Method(
            "price.get",
            .viewer,
            .read,
            "Gives the posted prices of several products.",
            for: .public,
            takes: [.productIds],
            gives: .result(
                shown([
                    Field(
                        "items",
                        .list(.object(posted), CallLimit.pageRows.elements(from: 0)),
                        "One for each product there is."
                    ),
                    Field(
                        "missing",
                        .list(.any, CallLimit.pageRows.elements(from: 0)),
                        "What no product is named by: ids as given, or SKUs."
                    ),
                ])
            ),
            batching: .reads,
            takesNames: true,
            example: ["productIds": [1, 2]]
        ),
        Method(
            "price.history",
            .viewer,
            .read,
            "Lists one product's price changes, newest first.",
            takes: [
                .productId, Field.time("from", "Not before.").optional, Field.time("to", "Before.").optional, .limit,
                .cursor,
            ],
            gives: .page(of: change),
            errors: [.productNotFound],
            standby: .ifAsked,
            example: ["productId": 1]
        ),
        Method(
            "price.why",
            .viewer,
            .read,
            "Explains a price: each step, and the guard that bound.",
            takes: [.productId],
            gives: explanation,
            errors: [.productNotFound],
            example: ["productId": 1]
        ),
        Method(
            "price.preview",
            .viewer,
            .read,
            "Gives the price that the database would set for another stock, base price or rule, or at a later tick.",
            takes: [
                .productId, Field.stock.optional,
                Field.money("basePrice", "Another list price, with the limits that follow it.").optional,
                Field.ruleId.optional,
                Field.id("rule", "The same as ruleId.", completes: "rule").optional,
                Field.time("at", "The moment of a tick to come, nothing sold until then.").optional,
            ],
            gives: explanation,
            errors: [.productNotFound, .ruleNotFound],
            example: ["productId": 1, "stock": 3]
        ),
        Method(
            "price.pin",
            .operator,
            .write,
            "Sets a manual price that automation leaves alone.",
            takes: [
                .productId, .money("price", "The manual price, within floor and ceiling."),
                Field.time("until", "When automation takes over again; never unless given.").optional, .reason,
            ],
            gives: pin,
            errors: [.productNotFound, .productArchived, .outsideLimits],
            wakesTicker: true,
            example: ["productId": 3, "price": "26.00", "reason": "spring fair"]
        ),
        Method(
            "price.unpin",
            .operator,
            .write,
            "Gives a pinned price back to automation.",
            takes: [.productId, .reason],
            gives: pin,
            errors: [.productNotFound, .productArchived],
            example: ["productId": 1]
        ),
    ]
}
