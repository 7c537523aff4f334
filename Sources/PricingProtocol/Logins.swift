import JSON

/// Logins: a person proves who they are once, and calls are made for them under a token from then on.
package enum Logins {
    private static let token = Field("token", .text(1...200), "What `_meta.login` takes; told this once.").secret
    private static let loginId = Field.id("loginId", "A login's id, which is no secret.")

    private static let times: [Field] = [
        .time("createdAt", "When it was opened."),
        .time("expiresAt", "When it ends at the latest."),
        .time("idleExpiresAt", "When it ends unless it is used before; moves at most once a minute."),
    ]

    private static let person: [Field] = [loginId, .userId, Field("role", Users.role, "What they are to the shop.")]

    private static let login = ObjectShape.result(
        "Login",
        shown(
            person + times + [
                Field("address", .text(0...200), "Where it was opened from.").nullable,
                Field("current", .boolean, "Whether this call is made under it."),
            ]
        )
    )

    static let methods: [Method] = [
        Method(
            "login.open",
            .operator,
            .write,
            """
            Opens a login for one who knows the password: at most \(CallLimit.loginAttempts.value) attempts a minute that \
            fail for an account from an address, \(CallLimit.loginAttemptsByAccount.value) in all for an account.
            """,
            for: .public,
            takes: [
                Users.email, Field("password", .text(0...100_000), "What was typed.").secret,
                Field(
                    "address",
                    .name(1...200),
                    "Where the person calls from, as a gateway sees it; the peer itself unless given."
                ).optional,
            ],
            gives: .result(shown([token] + person + times)),
            errors: [.badCredentials],
            example: ["email": "chloe.evans@mail.example", "password": "pricingd-demo"]
        ),
        Method(
            "login.get",
            .operator,
            .read,
            "Tells whose login a token is, that of the call itself unless given.",
            for: .public,
            takes: [token.optional],
            gives: .result(
                shown(
                    person + [
                        Field("fullName", .name(1...200), "Their name."),
                        Field("email", .name(3...254), "Their e-mail."),
                    ] + times
                )
            ),
            errors: [.loginExpired],
            example: ["token": "as login.open gave it"],
            exampleNote: "With the token of a login that is open."
        ),
        Method(
            "login.close",
            .operator,
            .write,
            """
            Ends a login: by its token; by its id; all of a user's with userId; else the one that the call is made under. \
            Under a login below the staff only one's own.
            """,
            for: .public,
            takes: [token.optional, loginId.optional, Field.userId.optional],
            gives: .result(shown([.count("closed", "How many were open and are no longer.")])),
            example: ["userId": 1]
        ),
        Method(
            "login.list",
            .operator,
            .read,
            "Lists the open logins of a user, newest first: one's own under a login.",
            for: .customer,
            takes: [Field.userId, .limit, .cursor],
            gives: .page(of: login),
            errors: [.userNotFound],
            example: ["userId": 1]
        ),
    ]
}
