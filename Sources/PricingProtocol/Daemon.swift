import JSONRPC

/// The daemon itself: what it offers, who it is, how it does.
enum Daemon {
    static let methods: [Method] = [
        Method(
            "rpc.discover",
            .viewer,
            .read,
            "Gives this document.",
            gives: .result([
                Field("openrpc", .name(1...20), "The OpenRPC version."), Field("info", .any, "Title and version."),
                Field("methods", .list(.any, 0...1000), "Every method."),
            ]),
            example: [:]
        ),
        Method(
            "session.hello",
            .viewer,
            .session,
            "Agrees on a protocol version and tells limits, capabilities and the peer's role.",
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
            ],
            gives: .result([
                Field("protocol", .integer(1...1000), "The version agreed on."),
                Field("server", .any, "{name, version, instanceId}."),
                Field("limits", .any, "Every limit by name."), Field("capabilities", .any, "What this daemon can do."),
                Field("peer", .any, "{uid, role}."),
            ]),
            errors: [.unsupportedVersion],
            example: ["client": ["name": "example", "version": "1"]]
        ),
        Method("session.ping", .viewer, .session, "Answers.", gives: .empty, example: [:]),
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
                Field("queues", .any, "What waits."), Field("counts", .any, "What there is."),
            ]),
            example: [:]
        ),
        Method(
            "server.explain",
            .viewer,
            .read,
            "Explains an error: what it means and what to do.",
            takes: [Field("reason", .choice(ErrorCode.all.map(\.reason)), "As data.reason gives it.")],
            gives: .result([
                Field("reason", .name(1...64), "The reason."), Field("code", .integer(-40_000...1000), "Its code."),
                Field("retryable", .boolean, "Whether calling again may help."), .text("meaning", "What it means."),
                .text("remedy", "What to do."),
            ]),
            example: ["reason": "INSUFFICIENT_STOCK"]
        ),
    ]
}
