import JSON

/// The daemon itself: what it offers, its identity and its state.
enum Daemon {
    private static let resolved = ObjectShape.result(
        "Resolved",
        [
            .id("id", "Its id."), .text("label", "Its title or name."),
            .text("detail", "What tells it from its like: of a product SKU, category and price."),
        ]
    )

    static let methods: [Method] = [
        Method(
            "rpc.discover",
            .viewer,
            .read,
            "Gives this document.",
            for: .public,
            takes: [
                Field("method", .name(1...100), "Only this method, and the schemas that it needs.").optional
            ],
            gives: .result(
                shown([
                    Field("openrpc", .name(1...20), "The OpenRPC version."), Field("info", .any, "Title and version."),
                    Field("methods", .list(.any, 0...1000), "Every method."),
                    Field("components", .any, "Named schemas, and the registry of errors."),
                ])
            ),
            example: [:]
        ),
        Method(
            "session.hello",
            .viewer,
            .session,
            "Agrees on a protocol version and tells limits, capabilities and the peer's role.",
            for: .public,
            takes: [
                Field(
                    "protocol",
                    .object(
                        ObjectShape([
                            Field("min", .integer(1...1000), "The oldest version that the client speaks."),
                            Field("max", .integer(1...1000), "The newest."),
                        ])
                    ),
                    "Versions that the client speaks."
                ).optional,
                Field(
                    "client",
                    .object(
                        ObjectShape([
                            Field("name", .name(1...200), "The client's name."),
                            Field("version", .name(1...50), "Its version.").optional,
                        ])
                    ),
                    "Who calls."
                ).optional,
                Field(
                    "gateway",
                    .boolean,
                    """
                    Whether the peer acts for others: then it gives up its own rights for the life of the connection, and \
                    what its calls may do comes from `_meta.login`, or is what anybody may.
                    """
                ).optional,
            ],
            gives: .result(
                shown([
                    Field("protocol", .integer(1...1000), "The version agreed on."),
                    Field("server", .any, "{name, version, instanceId}."),
                    Field("limits", .any, "Every limit by name."),
                    Field("capabilities", .any, "What this daemon can do."),
                    Field(
                        "peer",
                        .any,
                        "{uid, role, audience}; the role is null where an audience stands in its place."
                    ),
                    Field("gateway", .boolean, "Whether the connection is a gateway's."),
                ])
            ),
            errors: [.unsupportedVersion],
            isUrgent: true,
            example: ["client": ["name": "example", "version": "1"]]
        ),
        Method(
            "session.ping",
            .viewer,
            .session,
            "Answers.",
            for: .public,
            gives: .empty,
            isUrgent: true,
            example: [:]
        ),
        Method(
            "server.status",
            .viewer,
            .read,
            "Tells how the daemon does and where its database is.",
            gives: .result([
                Field("version", .name(1...50), "The daemon's version."),
                Field("instanceId", .name(1...64), "New at each start."),
                .count("uptimeSeconds", "Since the start."),
                Field("database", .any, "{kind, host, port, name, user, version, schema}: enough for psql."),
                Field(
                    "automation",
                    .any,
                    """
                    {halted, halts, breaker, lastTick, openProposals, campaigns, failing, overdue}: whether the whole \
                    catalogue stands still; the newest 100 open halts; {tripped, lastTrip, limits}; when the last whole \
                    tick was, or null; how many proposals wait for a person's yes; {running, scheduled, nextAt}, nextAt being the next start or end; the first 100 products that \
                    cannot be priced, {productId, sku, reason, failures, since, retryAt} each; and the 100 deliveries \
                    that are longest overdue, as inventory.expectations gives them.
                    """
                ),
                Field(
                    "reports",
                    .any,
                    """
                    Where reports are read from a standby: {host, port, ageMs, read, primary, reason, cause}: which \
                    answered last and how old its data was; how many calls it answered; how many the primary had to, \
                    {away, old, foreign, refused}; and why the last one, null where the standby answered it.
                    """
                ).optional,
                Field("queues", .any, "What waits."), Field("counts", .any, "What there is."),
            ]),
            isUrgent: true,
            example: [:]
        ),
        Method(
            "server.explain",
            .viewer,
            .read,
            "Explains an error: what it means and what to do.",
            for: .public,
            takes: [Field("reason", .choice(ErrorCode.all.map(\.reason)), "As data.reason gives it.")],
            gives: .result(
                shown([
                    Field("reason", .name(1...64), "The reason."), Field("code", .integer(-40_000...1000), "Its code."),
                    Field("retryable", .boolean, "Whether calling again may help."), .text("meaning", "What it means."),
                    .text("remedy", "What to do."),
                ])
            ),
            example: ["reason": "INSUFFICIENT_STOCK"]
        ),
        Method(
            "server.requests",
            .admin,
            .read,
            "Lists the calls that run now.",
            gives: .rows(
                of: .result(
                    "RunningCall",
                    [
                        .count("request", "Its number, as server.cancel takes it."),
                        Field("method", .name(1...100), "What it calls."),
                        .count("elapsedMs", "Since its line arrived."),
                        Field("peer", .any, "{uid, pid, connection}."),
                        Field("actor", .name(1...200), "Who, when the call says so.").nullable,
                    ]
                )
            ),
            example: [:]
        ),
        Method(
            "server.cancel",
            .admin,
            .session,
            "Cancels one call of any peer.",
            takes: [Field("request", .integer(1...JSONValue.largestExactInteger), "As server.requests gives it.")],
            gives: .result([Field("cancelled", .boolean, "Whether it still ran.")]),
            example: ["request": 1]
        ),
        Method(
            "server.metrics",
            .viewer,
            .read,
            "Gives counters, histograms and gauges.",
            gives: .result([Field("text", .text(0...10_000_000), "Prometheus text exposition.")]),
            example: [:]
        ),
        Method(
            "server.resolve",
            .viewer,
            .read,
            "Finds what a person means by a text: by id, SKU, e-mail, title, beginning or words.",
            takes: [
                Field(
                    "kind",
                    .choice(["product", "user", "order", "rule", "category", "supplier", "campaign"]),
                    "What is meant; an order is found by its number or its customer."
                ),
                Field("text", .name(1...200), "What was typed; case and accents do not matter."),
                Field("limit", .integer(1...100), "The most candidates; \(CallDefault.completions) unless given.")
                    .optional,
            ],
            gives: .result([
                Field(
                    "match",
                    .object(resolved),
                    """
                    The one that is meant; left out where it is not plain. In the order of preference: the id; the SKU, \
                    the e-mail or what else one alone has; the whole title or name; what begins with the text or has \
                    all its words; the same of what is archived or retired. It is the only one of the best that there are.
                    """
                ).optional,
                Field("candidates", .list(.object(resolved), 0...100), "All that may be meant, the best first."),
            ]),
            example: ["kind": "product", "text": "el-mouse"]
        ),
        Method(
            "server.complete",
            .viewer,
            .read,
            "Gives live values of a parameter for completion.",
            takes: [
                Field("method", .name(1...100), "Whose parameter it is."), Field("param", .name(1...100), "Its name."),
                Field("prefix", .text(0...200), "What was typed of it.").optional,
                Field("limit", .integer(1...100), "The most values; \(CallDefault.completions) unless given.").optional,
            ],
            gives: .result([Field("values", .list(.any, 0...100), "{value, label} each.")]),
            example: ["method": "product.get", "param": "productId"]
        ),
    ]

    static let drain = Method(
        "server.drain",
        .admin,
        .session,
        "Refuses new calls, answers those in flight, then ends the daemon.",
        takes: [
            Field(
                "timeoutMs",
                .integer(0...3_600_000),
                "How long to wait for them; \(CallDefault.drainMs) unless given."
            ).optional
        ],
        gives: .result([
            .count("completed", "Calls that ended by themselves."),
            .count("cancelled", "Calls cut at the deadline."),
        ]),
        isLong: true,
        isDestructive: true,
        example: ["timeoutMs": 1000],
        exampleNote: "It ends the daemon."
    )
}
