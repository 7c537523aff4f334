package import JSON

/// The event stream: numbered after commit, resumable from any number.
package enum Events {
    static let topics = ["price", "stock", "order", "automation", "catalogue"]
    private static let topic = Schema.choice(topics)

    /// The topics that an audience may follow; of topic order a customer is told of their own alone.
    package static func topics(for audience: Audience) -> [String] {
        switch audience {
        case .public: ["price", "stock", "catalogue"]
        case .customer: ["price", "stock", "catalogue", "order"]
        case .seller, .staff: topics
        }
    }

    /// What a subscriber is sent.
    package enum Notice {
        /// One event.
        package static let event = "events.event"
        /// Events that are left out, and why.
        package static let gap = "events.gap"
        /// Nothing more comes.
        package static let closed = "events.closed"
    }

    /// Numbers of which `conflate` sends only the last event of each thing at once.
    package static let conflatedTogether: Int64 = 200_000

    package static let event = ObjectShape(
        "Event",
        isOpen: true,
        views: EventViews.all,
        [
            .count("sequence", "Its number in the stream."), .time("at", "When."), Field("topic", topic, "What kind."),
            Field(
                "op",
                .name(1...50),
                """
                insert, update or delete; of topic automation halt, resume, failing, recovered, overdue, repair, and \
                proposal_made, _renewed, _approved, _rejected, _expired, _withdrawn.
                """
            ),
            .count("key", "The id of the thing: product, order, halt, delivery, rule, category, campaign or proposal."),
            Field("before", .any, "What changed, as it was."), Field("after", .any, "What changed, as it is."),
            Field("cause", .any, "{kind, orderId?}."), .text("actor", "Who."),
        ]
    )

    private static let watched = ObjectShape.result(
        "WatchedProduct",
        shown([
            .productId, .sku, Field("title", .name(1...200), "Its title."),
            .money("price", "The price that is charged."),
            .stock,
        ])
    )

    private static let gap = ObjectShape.result(
        "EventGap",
        shown([
            .count("fromSequence", "The first number left out."), .count("toSequence", "The last."),
            Field("reason", .choice(["AHEAD", "EXPIRED"]), "Not given yet, or not kept."),
        ])
    )

    private static let filters: [Field] = [
        Field("topics", .list(topic, 1...topics.count), "Only these topics; all unless given.").optional,
        Field.productIds.optional,
        Field.id("orderId", "Only of this order: its own events, and those that it caused.", completes: "order")
            .optional,
        Field.time("fromTime", "The moment from which on, in place of from.").optional,
        Field(
            "from",
            .integer(0...JSONValue.largestExactInteger),
            """
            The number after which to begin: the last one seen. What the shop no longer keeps is told as a gap of reason \
            EXPIRED, a number beyond the last one given as one of reason AHEAD, and the stream goes on from its end.
            """
        )
        .optional,
    ]

    static let methods: [Method] = [
        Method(
            "events.subscribe",
            .viewer,
            .session,
            "Sends events.event notifications on this connection, strictly after this reply.",
            for: .public,
            takes: filters + [
                Field("snapshot", .boolean, "Also give the state that the stream continues from.").optional,
                Field(
                    "overflow",
                    .choice(["conflate", "gap", "disconnect"]),
                    """
                    What becomes of events that a slow reader has not taken: gap, unless given, leaves them out and says \
                    which; conflate sends only the last one of each thing, among \(conflatedTogether) at a time; disconnect ends the \
                    subscription.
                    """
                )
                .optional,
            ],
            gives: .result(
                shown([
                    Field("subscription", .name(1...64), "Names it in notifications and in events.unsubscribe."),
                    .count("sequence", "The number after which the stream continues."),
                    Field("snapshot", .list(.object(watched), 0...1_000_000), "The watched products, when asked for.")
                        .optional,
                ])
            ),
            errors: [.orderNotFound],
            example: ["topics": ["price"]]
        ),
        Method(
            "events.unsubscribe",
            .viewer,
            .session,
            "Ends a subscription of this connection.",
            for: .public,
            takes: [Field("subscription", .name(1...64), "As events.subscribe gave it.")],
            gives: .empty,
            errors: [.subscriptionNotFound],
            example: ["subscription": "s1"],
            exampleNote: "On a connection whose first subscription the example of events.subscribe began."
        ),
        Method(
            "events.list",
            .viewer,
            .read,
            "Gives the same events, pulled: those after a number or from a time on.",
            for: .public,
            takes: filters + [
                Field(
                    "to",
                    .any,
                    "The last number, or a time before which; as a number of the stream, or as an RFC 3339 time."
                ).optional,
                Field("order", .choice(["asc", "desc"]), "asc, unless given: the oldest first.").optional, .limit,
                .cursor,
            ],
            gives: .result(
                ObjectShape.page(of: event).fields
                    + shown([
                        .count("sequence", "The number given last."),
                        Field(
                            "gap",
                            .object(gap),
                            "What lies between from and the first event that could be given; null for nothing."
                        ).nullable,
                    ])
            ),
            errors: [.orderNotFound],
            example: ["from": 0, "limit": 2]
        ),
    ]
}
