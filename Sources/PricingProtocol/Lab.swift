import JSON

/// What a shop is tried with: a sandbox's clock, and the laboratory, where policies are tried on made-up seasons inside the
/// database, by the functions that price products. After all that trades: the clock's example moves it by years.
package enum Lab {
    static let clock = ObjectShape.result(
        "Clock",
        [
            .time("at", "The time that prices follow."),
            Field("sandbox", .boolean, "Whether the clock may be set."),
            Field("virtual", .boolean, "Whether it was set."),
        ]
    )

    package static let methods: [Method] = [
        Method(
            "clock.get",
            .viewer,
            .read,
            "Gives the time that prices follow.",
            gives: clock,
            example: [:]
        ),
        Method(
            "clock.set",
            .admin,
            .write,
            "Sets a sandbox's clock and runs the tick of the new time.",
            takes: [.time("at", "The new time.")],
            gives: clock,
            errors: [.notASandbox],
            isLong: true,
            wakesTicker: true,
            example: ["at": "2040-01-01T00:00:00Z"],
            exampleNote: "On a database made with --sandbox."
        ),
        Method(
            "lab.run",
            .admin,
            .read,
            "Tries pricing policies on made-up seasons of demand; touches nothing of the shop. Progress counts seasons.",
            takes: [
                Field("scenarios", .list(.object(scenario), 1...1000), "What to try them on."),
                Field(
                    "policies",
                    .list(.name(1...50), 1...50),
                    "Such as learn_calm, learn_pooled_calm, deadline_agile, fixed_at_base, bands_10_20_80."
                ),
                Field("seasons", .integer(1...1_000_000), "Seasons of each scenario."),
                Field("firstSeason", .integer(0...1_000_000_000), "The first one's number; 0 unless given.").optional,
                Field("seed", .integer(0...JSONValue.largestExactInteger), "Instead of the scenarios' own seeds.")
                    .optional,
                Field(
                    "shop",
                    .boolean,
                    "The scenarios are one shop's products, sold side by side; pooled policies see all."
                )
                .optional,
                Field(
                    "history",
                    .integer(0...10),
                    "With shop: seasons sold before the one that counts; 0 unless given."
                )
                .optional,
                Field(
                    "former",
                    .list(.object(scenario), 1...1000),
                    "With history: the products of those seasons, where they were others."
                )
                .optional,
                Field("withOptimum", .boolean, "Compute the optimum of scenarios that come without one.").optional,
                Field("withPaths", .boolean, "Give the price path of the first season with each row.").optional,
            ],
            gives: .rows(of: row),
            isLong: true,
            example: [
                "scenarios": [
                    [
                        "name": "scarce", "stock": 25, "horizon_days": 30, "customers_per_day": 4,
                        "demand": "exponential(40)", "base": 50, "elasticity": .decimal("1.25"),
                    ]
                ],
                "policies": ["learn_calm", "fixed_at_base"], "seasons": 2,
            ]
        ),
    ]

    /// A row of a scenario file; columns that are not listed, such as measured shares, may stand there too.
    private static let scenario = ObjectShape(
        "Scenario",
        isOpen: true,
        [
            Field("name", .name(1...100), "What the rows call it."),
            Field("stock", .integer(1...100_000), "Units at the start."),
            Field("horizon_days", .number(0.1...3650), "Days of the season."),
            Field("customers_per_day", .number(0.001...1_000_000), "Arrivals a day where the season weighs 1."),
            Field(
                "demand",
                .text(1...200),
                "exponential(θ), exponential_decay(θ,δ), linear(pm), logit(μ,σ) or isoelastic(pl,ε)."
            ),
            Field("season_true", .text(1...500), season + " 1 unless given.").optional,
            Field("season_believed", .text(1...500), "As the merchant believes it; 1 unless given.").optional,
            Field("season_max", .number(0.001...1000), "A bound of season_true; 1 unless given.").optional,
            Field("base", .number(0.01...1_000_000_000), "The list price."),
            Field(
                "ref_rate",
                .number(0.000_001...1_000_000_000),
                "Units a day at base, as believed; stock over days unless given."
            ).optional,
            Field("elasticity", .number(0.1...20), "At base, as believed; 2 unless given.").optional,
            Field("salvage", .number(0...1_000_000_000), "What a unit left is worth; 0 unless given.").optional,
            Field("believed_decay", .number(0...1), "Willingness to pay lost a day, as believed; 0 unless given.")
                .optional,
            Field("true_rate", .number(0.001...1000), "How many times ref_rate really sells; 1 unless given.").optional,
            Field("true_elasticity", .number(0.001...1000), "How many times elasticity it really is; 1 unless given.")
                .optional,
            Field("seed", .integer(0...JSONValue.largestExactInteger), "1 unless given.").optional,
            Field("optimum", .number(0...1_000_000_000_000), "Expected value of the best policy; 0 for unknown.")
                .nullable.optional,
            Field("best_fixed_price", .number(0...1_000_000_000), "Found unless given.").nullable.optional,
        ]
    )

    private static let season =
        "Arrivals' weight: a product of ramp(a,b), weekly(A,φ) and steps(d1:f1,d2:f2), or 1."

    private static let row = ObjectShape.result(
        "LabRow",
        [
            Field("scenario", .name(1...100), "Its name."), Field("policy", .name(1...50), "As asked."),
            .count("seasons", "How many."),
            figure("mean", "Mean value of a season: revenue and salvage."),
            figure("share", "mean over the optimum.").nullable,
            figure("ci95", "Half the width of share's 95 % interval.").nullable,
            figure("meanCi95", "Half the width of mean's 95 % interval; null for one season.").nullable,
            figure("changes", "Price changes a season."), figure("reversals", "Changes against the one before."),
            figure("soldOut", "Share of seasons that sold everything."), figure("leftOver", "Units left a season."),
            Field("path", .any, "[{cause, t, stock, price, elasticity, rate}] of the first season, or null."),
        ]
    )

    private static func figure(_ name: String, _ summary: String) -> Field {
        Field(name, .number(0...1e15), summary)
    }
}
