import JSON

/// Users. No reply ever holds a password or its hash.
enum Users {
    static let role = Schema.choice(PersonRole.allCases.map(\.rawValue))

    /// Shown whole: below the staff people get themselves alone.
    static let user = ObjectShape.result(
        "User",
        shown([
            .userId, Field("fullName", .name(1...200), "Their name."),
            Field("email", .name(3...254), "Unique, whatever its case."),
            Field("phoneNumber", .name(3...32), "Unique.").nullable, Field("role", role, "What they are to the shop."),
            .time("createdAt", "When."),
        ])
    )

    static let email = Field("email", .name(3...254), "Unique, whatever its case.")
    /// The longest password in bytes: the slow hash reads no more.
    private static let password = Field(
        "password",
        .bytes(8...72),
        "8 to 72 bytes of UTF-8, kept as a slow hash, never given back."
    ).secret
    private static let phone = Field(
        "phoneNumber",
        .name(3...32),
        "Digits, spaces and + ( ) . / -, kept as typed; unique as the number that is dialled."
    ).nullable

    static let methods: [Method] = [
        Method(
            "user.list",
            .viewer,
            .read,
            "Lists users by id.",
            for: .staff,
            takes: [
                Field("search", .text(0...200), "Text in name or e-mail, whatever its case and accents.").optional,
                Field("role", role, "Only this role.").optional, .limit, .cursor,
            ],
            gives: .page(of: user),
            example: ["limit": 2]
        ),
        Method(
            "user.get",
            .viewer,
            .read,
            "Gives one user; under a login oneself.",
            for: .customer,
            takes: [.userId],
            gives: user,
            errors: [.userNotFound],
            example: ["userId": 1]
        ),
        Method(
            "user.create",
            .operator,
            .write,
            "Makes a user.",
            for: .public,
            takes: [
                Field("fullName", .name(1...200), "Their name."), email, phone.optional,
                Field("role", role, "customer unless given; another takes an admin.").optional, password.optional,
            ],
            gives: user,
            errors: [.emailTaken, .phoneTaken],
            reserved: [Method.Reserved(member: "role", except: "customer", for: .admin)],
            example: ["fullName": "Ada Byron", "email": "ada@example.com"]
        ),
        Method(
            "user.update",
            .operator,
            .write,
            "Changes the given members of a user; e-mail and password of another are an admin's to change.",
            for: .customer,
            takes: [
                .userId, Field("fullName", .name(1...200), "Their name.").optional, email.optional, phone.optional,
                Field("role", role, "What they are to the shop; an admin changes it.").optional, password.optional,
            ],
            gives: user,
            errors: [.userNotFound, .emailTaken, .phoneTaken],
            reserved: [
                Method.Reserved(member: "role", for: .admin),
                Method.Reserved(member: "email", for: .admin, unlessOneself: true),
                Method.Reserved(member: "password", for: .admin, unlessOneself: true),
            ],
            example: ["userId": 1, "fullName": "Ada Lovelace"]
        ),
        Method(
            "user.delete",
            .operator,
            .write,
            "Archives a user: orders stay, e-mail and telephone number become free.",
            for: .staff,
            takes: [.userId],
            gives: .result([.userId, Field("deleted", .boolean, "Always true.")]),
            errors: [.userNotFound],
            isDestructive: true,
            example: ["userId": 8]
        ),
        Method(
            "user.changePassword",
            .operator,
            .write,
            "Changes a password for one who knows the old one; under no key, since the old one is wrong afterwards.",
            for: .customer,
            takes: [
                .userId, Field("old", .text(0...100_000), "The password until now.").secret,
                Field("new", .text(0...100_000), "The new one: 8 to 72 bytes of UTF-8.").secret,
            ],
            gives: .result(shown([.userId, Field("changed", .boolean, "Always true.")])),
            errors: [.userNotFound, .badCredentials],
            gate: .passwordChecks,
            example: ["userId": 3, "old": "pricingd-demo", "new": "pricingd-demo"]
        ),
        Method(
            "user.authenticate",
            .operator,
            .read,
            "Checks a password.",
            for: .staff,
            takes: [email, Field("password", .text(0...100_000), "What was typed.").secret],
            gives: .result([.userId, Field("role", role, "What they are to the shop.")]),
            errors: [.badCredentials],
            gate: .passwordChecks,
            example: ["email": "chloe.evans@mail.example", "password": "pricingd-demo"]
        ),
    ]
}
