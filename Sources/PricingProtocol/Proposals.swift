import JSON

/// Price moves that want a person's yes, of rules that have `approveAbove`.
enum Proposals {
    private static let proposalId = Field.id("proposalId", "A proposal's id.", completes: "proposal")
    private static let status = Field(
        "status",
        .choice(["open", "approved", "rejected", "expired", "withdrawn"]),
        "Where it stands; withdrawn: the target came back, or the price was set otherwise."
    )
    private static let rule = ObjectShape.result(
        "ProposalRule",
        [
            .ruleId, Field("name", .name(1...200), "Its name."), .count("version", "Its version."),
            Field("strategy", .name(1...50), "Its strategy."),
        ]
    )

    private static let facts: [Field] = [
        proposalId, status, .productId, .sku, Field("title", .name(1...200), "The product's title."), .categoryId,
        .money("old", "The regular price that stood."), .money("proposed", "The regular price that is proposed."),
        Field.money("target", "Of an open one what is asked for now: another where stock moved; null: nothing.")
            .nullable,
        .stock, Field("rule", .object(rule), "The rule that asks for it."),
        Field("cause", .name(1...50), "What was evaluated: a tick, a declaration, a rule …"),
        Field("bindingGuard", .name(1...50), "The first guard that bound the proposed price.").nullable,
        .text("why", "In words for the merchant."),
        Field("steps", .list(.object(Prices.step), 0...20), "From base to the proposed price, as of price.why."),
        .text("text", upTo: 10_000, "The same as text."),
        .time("madeAt", "When it was made."), .time("renewedAt", "When its target last moved."),
        .time("expiresAt", "When it expires undecided."), Field.time("decidedAt", "When it was decided.").nullable,
        Field.text("decidedBy", "Who decided.").nullable, .text("reason", "Why it was decided so."),
    ]

    static let proposal = ObjectShape.result("Proposal", facts)

    private static let decided = ObjectShape.result(
        facts + [
            .money("price", "The price that is charged now."), .money("regularPrice", "The price without campaigns."),
        ]
    )

    /// An open proposal beside a price.
    static let note = ObjectShape.result(
        "OpenProposal",
        [
            .id("proposalId", "Its id."), .money("price", "The regular price that is proposed."),
            .time("madeAt", "When it was made."), .time("expiresAt", "When it expires undecided."),
        ]
    )

    static let methods: [Method] = [
        Method(
            "proposal.list",
            .viewer,
            .read,
            "Lists price moves that want a person's yes, or wanted one, newest first.",
            takes: [
                status.optional, Field.productId.optional, Field.productIds.optional, Field.ruleId.optional,
                Field.categoryId.optional, .limit, .cursor,
            ],
            gives: .page(of: proposal),
            errors: [.productNotFound, .ruleNotFound, .categoryNotFound],
            example: ["status": "open"]
        ),
        Method(
            "proposal.approve",
            .operator,
            .write,
            "Evaluates the product once more and moves its price, if that asks for the same; else it is STALE.",
            takes: [
                proposalId,
                Field.money("price", "The target that STALE told, where it moved on: approves that instead.").optional,
                .reason,
            ],
            gives: decided,
            errors: [.proposalNotFound, .stale, .automationHalted],
            example: ["proposalId": 1]
        ),
        Method(
            "proposal.reject",
            .operator,
            .write,
            "Keeps the price; the target is not proposed again until it leaves the dead band around it.",
            takes: [proposalId, .reason],
            gives: decided,
            errors: [.proposalNotFound, .stale],
            example: ["proposalId": 2, "reason": "too dear"]
        ),
    ]
}
