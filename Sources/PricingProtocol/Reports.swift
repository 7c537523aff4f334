import JSON

/// What the admin dashboard shows, the named queries, and generated data.
enum Reports {
    private static let mostReportRows = 10_000

    private static func dashboard(
        _ view: String,
        _ summary: String,
        standby: Method.StandbyUse = .unlessFresh,
        takes: [Field] = []
    ) -> Method {
        Method(
            "dashboard.\(view)",
            .viewer,
            .read,
            summary,
            takes: takes,
            gives: .rows(of: .result([])),
            isLong: true,
            standby: standby,
            gate: .dashboards,
            example: [:]
        )
    }

    static let methods: [Method] = [
        Method(
            "dashboard.stats",
            .viewer,
            .read,
            "Gives the shop's headline figures.",
            gives: .result(
                "DashboardStats",
                [
                    .count("products", "Products not archived."), .count("activeProducts", "Those for sale."),
                    .count("orders", "Orders ever placed."), .count("lowStock", "Products whose stock is low."),
                    .sum("revenue", "Of orders not cancelled or returned."),
                    .sum("revenueToday", "The same, of the shop's day."),
                    Field("halted", .boolean, "Whether automation is halted for the whole catalogue."),
                    .count("halts", "Halts of automation that last, of any scope."),
                    Field("breakerTripped", .boolean, "Whether the breaker's halt waits for a person to resume."),
                    .count("failingProducts", "Products that cannot be priced now."),
                    .count("overdueDeliveries", "Deliveries that should have come and have not."),
                    .count("campaigns", "Campaigns that run now."),
                    .count("openProposals", "Price moves that wait for a person's yes."),
                ]
            ),
            isLong: true,
            gate: .dashboards,
            example: [:]
        ),
        dashboard("categoryDistribution", "Products, stock and value by category."),
        dashboard(
            "priceTrends",
            "Average price and number of changes by day.",
            takes: [
                Field("days", .integer(1...366), "How many days back; 30 unless given.").optional,
                Field.productId.optional,
            ]
        ),
        dashboard("supplierRevenue", "Revenue by supplier."),
        dashboard("monthlyRevenue", "Orders and revenue of the last twelve months."),
        dashboard(
            "vipUsers",
            "The customers who spent most.",
            takes: [Field("limit", .integer(1...CallLimit.pageRows.value), "The most rows; 10 unless given.").optional]
        ),
        dashboard(
            "lowStock",
            "The products whose stock is low.",
            // What is to be done now.
            standby: .never,
            takes: [Field("limit", .integer(1...CallLimit.pageRows.value), "The most rows; 50 unless given.").optional]
        ),
        Method(
            "report.list",
            .viewer,
            .read,
            "Lists the named queries.",
            takes: [.limit, .cursor],
            gives: .page(
                of: .result([
                    Field("name", .name(1...100), "What report.run takes."),
                    .text("title", "What it shows."),
                ])
            ),
            example: [:]
        ),
        Method(
            "report.run",
            .viewer,
            .read,
            "Runs a named query.",
            takes: [
                Field("name", .name(1...100), "As report.list gives it.", completes: "report"),
                Field(
                    "limit",
                    .integer(1...Int64(mostReportRows)),
                    "The most rows; \(CallDefault.reportRows) unless given."
                ).optional,
            ],
            gives: .result([
                Field("columns", .list(.text(0...200), 0...200), "The columns' names."),
                Field("rows", .list(.any, 0...mostReportRows), "One array a row, in the columns' order."),
            ]),
            errors: [.reportNotFound],
            isLong: true,
            standby: .unlessFresh,
            example: ["name": "products", "limit": 2]
        ),
        Method(
            "data.generate",
            .admin,
            .write,
            "Generates demo data: same seed, same data. admin@, seller@ and customer@example.com sign in with pricingd-demo.",
            takes: [
                Field("users", .integer(0...1_000_000), "How many customers; 200 unless given.").optional,
                Field("suppliers", .integer(0...100_000), "20 unless given.").optional,
                Field("products", .integer(0...1_000_000), "200 unless given.").optional,
                Field("orders", .integer(0...10_000_000), "Over the past year; 1000 unless given.").optional,
                Field("seed", .integer(0...JSONValue.largestExactInteger), "Same seed, same data; 1 unless given.")
                    .optional,
                Field("clear", .boolean, "Remove all data first.").optional,
            ],
            gives: .result([
                .count("users", "Users made."), .count("suppliers", "Suppliers made."),
                .count("categories", "Categories made."), .count("products", "Products made."),
                .count("orders", "Orders placed."),
            ]),
            isLong: true,
            isDestructive: true,
            example: ["users": 3, "suppliers": 2, "products": 4, "orders": 10, "seed": 3]
        ),
    ]
}
