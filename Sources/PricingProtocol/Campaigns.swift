import JSON

/// Campaigns, which lower the prices that are charged for a time, and what may be claimed of a reduction.
enum Campaigns {
    private static let percentOff = Field(
        "percentOff",
        .number(0...95),
        "The percentage that is taken off, over 0 and at most 95."
    )

    private static let fixedPrice = ObjectShape(
        "FixedPrice",
        [.productId, .money("price", "What is charged of it at most while the campaign runs.")]
    )

    private static let facts: [Field] = [
        .id("campaignId", "Its id."), Field("name", .name(1...200), "What people call it."),
        Field("status", .choice(["scheduled", "running", "ended"]), "Where it stands."),
        Field.categoryId.nullable, Field("all", .boolean, "Whether it is for all products."), percentOff.nullable,
        .time("startsAt", "When it is to begin."), .time("endsAt", "When it is to end."),
        Field.time("startedAt", "When it began; null: it has not, or never did.").nullable,
        Field.time("endedAt", "When it ended; null until then.").nullable,
        .text("reason", "Why it was ended."), .text("actor", "Who made it."),
        .count("products", "How many products it is for now."),
    ]

    private static let warnings = Field(
        "warnings",
        .list(.text(0...500), 0...10),
        "Where it does not do what it says: the floor beats it."
    )

    static let campaign = ObjectShape.result("Campaign", facts)

    private static let member = ObjectShape.result(
        "CampaignMember",
        [.productId, .sku, Field.money("price", "Its fixed price; null under a percentage.").nullable]
    )

    private static let campaignId = Field.id("campaignId", "A campaign's id.", completes: "campaign")

    static let reference = ObjectShape.result(
        "ClaimReference",
        shown([
            .money("price", "The lowest price charged in the 30 days before the reduction."),
            .text("on", upTo: 10, "The first of these days on which it was charged, YYYY-MM-DD, UTC."),
        ])
    )

    private static let claim: [Field] =
        shown([
            .productId, .sku, percentOff, Field("truthful", .boolean, "Whether the claim is true now."),
            .money("price", "The price that is charged; of a plan the one that would be."),
            Field("reference", .object(reference), "What it is measured against.").nullable,
        ]) + [
            Field.text(
                "firstDay",
                upTo: 10,
                "The first day on which it may be claimed, YYYY-MM-DD, UTC; null for none."
            )
            .nullable,
            .text("reason", "The same in words."),
        ]

    private static let takesClaim: [Field] = [.productId, percentOff]

    static let methods: [Method] = [
        Method(
            "campaign.create",
            .operator,
            .write,
            "Makes a campaign, which begins and ends by itself; one that is due begins at once.",
            takes: [
                Field("name", .name(1...200), "What people call it."),
                Field.categoryId.optional, Field.productIds.optional,
                Field("all", .boolean, "All products, those made meanwhile too.").optional,
                percentOff.optional,
                Field(
                    "prices",
                    .list(.object(fixedPrice), CallLimit.pageRows.elements(from: 1)),
                    "Single products with a fixed price each, in place of a percentage."
                ).optional,
                Field.time("startsAt", "When it begins; now unless given.").optional,
                .time("endsAt", "When it ends."),
            ],
            gives: .result(facts + [warnings]),
            errors: [.categoryNotFound, .productNotFound, .productArchived, .campaignOverlaps],
            wakesTicker: true,
            example: [
                "name": "Spring sale", "categoryId": 1, "percentOff": 20, "startsAt": "2098-03-20T00:00:00+01:00",
                "endsAt": "2098-03-27T00:00:00+01:00",
            ]
        ),
        Method(
            "campaign.list",
            .viewer,
            .read,
            "Lists campaigns, newest first.",
            takes: [
                Field("status", .choice(["scheduled", "running", "ended"]), "Only those that stand so.").optional,
                Field.categoryId.optional, Field.productId.optional, .limit, .cursor,
            ],
            gives: .page(of: campaign),
            example: ["status": "running"]
        ),
        Method(
            "campaign.get",
            .viewer,
            .read,
            "Gives one campaign, with the products that it names.",
            takes: [campaignId],
            gives: .result(
                facts + [
                    warnings, Field("members", .list(.object(member), 0...1_000_000), "The products that it names."),
                ]
            ),
            errors: [.campaignNotFound],
            example: ["campaignId": 1]
        ),
        Method(
            "campaign.end",
            .operator,
            .write,
            "Ends a campaign now; prices are then what they would be without it.",
            takes: [campaignId, .reason],
            gives: campaign,
            errors: [.campaignNotFound],
            wakesTicker: true,
            example: ["campaignId": 1, "reason": "sold out"]
        ),
        Method(
            "claim.check",
            .viewer,
            .read,
            "Says whether a reduction of so many percent may be claimed, by the EU's price indication rule.",
            for: .public,
            takes: takesClaim,
            gives: .result(
                claim + [
                    Field("tooYoung", .boolean, "Whether the product is younger than the 30 days.").shown,
                    Field.time("reducedSince", "When the reduction began; null: it is not reduced.").nullable.shown,
                ]
            ),
            errors: [.productNotFound, .productArchived],
            example: ["productId": 1, "percentOff": 20]
        ),
        Method(
            "claim.plan",
            .viewer,
            .read,
            "Gives the first day on which a reduction by so many percent may begin and be claimed.",
            takes: takesClaim,
            gives: .result(claim),
            errors: [.productNotFound, .productArchived],
            example: ["productId": 1, "percentOff": 20]
        ),
    ]
}
