import JSON
import Markup

/// The pages that are a list and its deeds.
struct Lists: Sendable {
    let site: Site

    func add(to routes: inout Routes) {
        for list in [stock, deliveries, campaigns, users, suppliers, categories, trail, quotes, proposals] {
            list.add(to: &routes)
        }
    }

    private static func id(_ row: JSONValue, _ member: String) -> String? { row[member]?.integer.map { String($0) } }

    private var stock: ListPage {
        ListPage(
            site: site,
            path: "/stock",
            title: "Stock",
            method: "inventory.list",
            filters: [
                FormField(
                    "level",
                    "Level",
                    .choice([.init("", "All"), .init("LOW", "Low"), .init("NORMAL", "Normal"), .init("HIGH", "High")])
                )
            ],
            empty: "No product is at this level.",
            deeds: "<a href=\"/deliveries\">Expected deliveries</a>",
            columns: [
                .link("Product", "productId", "title", to: "/products/"), .text("SKU", "sku"),
                .init("Stock", .number, text: { Lists.id($0, "stock") ?? "" }) { row in
                    "<span data-stock=\"\(row["productId"]?.integer ?? 0)\">\(Words.count(row["stock"]?.integer))</span>"
                },
                .hidden("Held", "held"), .count("Available", "available"), .hidden("Low at", "lowStock"),
                .hidden("High at", "highStock"),
                .init("Low, high at", .number, text: nil) { row in
                    "\(Words.count(row["lowStock"]?.integer)), \(Words.count(row["highStock"]?.integer))"
                },
                .tag("Level", "level"),
                .init("Price", .number, text: { $0["price"]?.string ?? "" }) { row in
                    "<span data-price=\"\(row["productId"]?.integer ?? 0)\">\(Words.money(row["price"]?.string))</span>"
                },
                .time("Last delivery (UTC)", "lastRestockAt"),
                .deeds { row in
                    let id = Lists.id(row, "productId")
                    return [
                        ("Restock", Deed.link("inventory.restock", back: "/stock", [("productId", id)])),
                        ("Correct", Deed.link("inventory.adjust", back: "/stock", [("productId", id)])),
                    ]
                },
            ]
        )
    }

    private var deliveries: ListPage {
        ListPage(
            site: site,
            path: "/deliveries",
            title: "Expected deliveries",
            section: "/stock",
            method: "inventory.expectations",
            empty: "No delivery is expected.",
            deeds:
                "<a href=\"/stock\">Stock</a><a href=\"\(Deed.link("inventory.expect", back: "/deliveries"))\">Expect one</a>",
            columns: [
                .link("SKU", "productId", "sku", to: "/products/"), .count("Expected", "quantity"),
                .count("Arrived", "received"), .count("Open", "open"), .time("Due (UTC)", "eta"),
                .text("Why", "reason"), .text("Who", "actor"),
                .deeds { row in
                    let (id, product) = (Lists.id(row, "expectationId"), Lists.id(row, "productId"))
                    let receive = [("productId", product), ("expectationId", id), ("quantity", Lists.id(row, "open"))]
                    return [
                        ("Receive", Deed.link("inventory.restock", back: "/deliveries", receive.map { ($0.0, $0.1) })),
                        (
                            "Expect no more",
                            Deed.link("inventory.unexpect", back: "/deliveries", [("expectationId", id)])
                        ),
                    ]
                },
            ]
        )
    }

    private var campaigns: ListPage {
        ListPage(
            site: site,
            path: "/campaigns",
            title: "Campaigns",
            method: "campaign.list",
            filters: [
                FormField(
                    "status",
                    "State",
                    .choice([
                        .init("", "All"), .init("scheduled", "Scheduled"), .init("running", "Running"),
                        .init("ended", "Ended"),
                    ])
                )
            ],
            empty: "There is no campaign.",
            deeds: "<a href=\"\(Deed.link("campaign.create", back: "/campaigns"))\">New campaign</a>",
            columns: [
                .text("Name", "name"), .tag("State", "status"),
                .init("Off", .number, text: { $0["percentOff"]?.description ?? "" }) { row in
                    "\(row["percentOff"].map { $0.isNull ? "fixed prices" : $0.description + " %" } ?? "")"
                },
                .count("Products", "products"), .time("From (UTC)", "startsAt"), .time("To (UTC)", "endsAt"),
                .text("Who", "actor"),
                .deeds { row in
                    guard row["status"]?.string != "ended" else { return [] }
                    return [
                        (
                            "End",
                            Deed.link("campaign.end", back: "/campaigns", [("campaignId", Lists.id(row, "campaignId"))])
                        )
                    ]
                },
            ]
        )
    }

    private var users: ListPage {
        ListPage(
            site: site,
            path: "/users",
            title: "Users",
            method: "user.list",
            filters: [
                FormField("search", "Search", .search),
                FormField(
                    "role",
                    "Role",
                    .choice([
                        .init("", "All"), .init("customer", "Customer"), .init("seller", "Seller"),
                        .init("admin", "Admin"),
                    ])
                ),
            ],
            empty: "Nobody fits.",
            deeds: "<a href=\"\(Deed.link("user.create", back: "/users"))\">New user</a>",
            columns: [
                .count("User", "userId"), .text("Name", "fullName"), .text("E-mail", "email"),
                .text("Telephone", "phoneNumber"), .text("Role", "role"), .time("Since (UTC)", "createdAt"),
                .deeds { row in
                    let id = Lists.id(row, "userId")
                    let known = ["fullName", "email", "phoneNumber", "role"].map { ($0, row[$0]?.string) }
                    return [
                        ("Orders", Link.to("/orders", [("customerId", id)])),
                        ("Change", Deed.link("user.update", back: "/users", [("userId", id)] + known)),
                        ("Delete", Deed.link("user.delete", back: "/users", [("userId", id)])),
                    ]
                },
            ]
        )
    }

    private var suppliers: ListPage {
        ListPage(
            site: site,
            path: "/suppliers",
            title: "Suppliers",
            method: "supplier.list",
            empty: "There is no supplier.",
            deeds: "<a href=\"\(Deed.link("supplier.create", back: "/suppliers"))\">New supplier</a>",
            columns: [
                .count("Supplier", "supplierId"), .text("Company", "companyName"), .text("E-mail", "contactEmail"),
                .text("Tax number", "taxNumber"), .text("Address", "address"),
                .deeds { row in
                    let id = Lists.id(row, "supplierId")
                    let known = ["companyName", "contactEmail", "taxNumber", "address"].map { ($0, row[$0]?.string) }
                    return [
                        ("Products", Link.to("/products", [("supplierId", id)])),
                        ("Change", Deed.link("supplier.update", back: "/suppliers", [("supplierId", id)] + known)),
                        ("Delete", Deed.link("supplier.delete", back: "/suppliers", [("supplierId", id)])),
                    ]
                },
            ]
        )
    }

    private var categories: ListPage {
        ListPage(
            site: site,
            path: "/categories",
            title: "Categories",
            method: "category.list",
            empty: "There is no category.",
            deeds: "<a href=\"\(Deed.link("category.create", back: "/categories"))\">New category</a>",
            columns: [
                .count("Category", "categoryId"), .text("Name", "name"), .text("What belongs in it", "description"),
                .deeds { row in
                    let id = Lists.id(row, "categoryId")
                    let known = ["name", "description"].map { ($0, row[$0]?.string) }
                    return [
                        ("Products", Link.to("/products", [("categoryId", id)])),
                        ("Change", Deed.link("category.update", back: "/categories", [("categoryId", id)] + known)),
                        ("Delete", Deed.link("category.delete", back: "/categories", [("categoryId", id)])),
                    ]
                },
            ]
        )
    }

    private var quotes: ListPage {
        ListPage(
            site: site,
            path: "/quotes",
            title: "Quotes",
            method: "quote.list",
            filters: [
                FormField(
                    "status",
                    "State",
                    .choice(
                        [.init("", "All")]
                            + ["open", "ordered", "released", "expired"].map { .init($0, Words.label($0)) }
                    )
                )
            ],
            empty: "There is no such quote.",
            columns: [
                .count("Quote", "quoteId"), .text("For whom", "customerName"), .tag("State", "status"),
                .money("Total", "total"), .time("Made (UTC)", "createdAt"), .time("Holds until (UTC)", "expiresAt"),
                .text("Who", "actor"),
                .deeds { row in
                    guard row["status"]?.string == "open" else { return [] }
                    return [
                        (
                            "Release",
                            Deed.link("quote.release", back: "/quotes", [("quoteId", Lists.id(row, "quoteId"))])
                        )
                    ]
                },
            ]
        )
    }

    private var proposals: ListPage {
        ListPage(
            site: site,
            path: "/proposals",
            title: "Proposals",
            method: "proposal.list",
            filters: [
                FormField(
                    "status",
                    "State",
                    .choice(
                        [.init("", "All")]
                            + ["open", "approved", "rejected", "expired", "withdrawn"].map {
                                .init($0, Words.label($0))
                            }
                    )
                )
            ],
            empty:
                "No price move waits for a person. A rule with <a href=\"/rules\">approve above</a> makes large ones wait.",
            columns: [
                .link("Product", "productId", "title", to: "/products/"), .tag("State", "status"),
                .money("Stands", "old"),
                .money("Proposed", "proposed"), .count("Stock", "stock"), .text("Why", "why"),
                .time("Made (UTC)", "madeAt"), .time("Expires (UTC)", "expiresAt"), .text("Decided by", "decidedBy"),
                .deeds { row in
                    guard row["status"]?.string == "open" else { return [] }
                    let subject: [(name: String, value: String?)] = [("proposalId", Lists.id(row, "proposalId"))]
                    return [
                        ("Approve", Deed.link("proposal.approve", back: "/proposals", subject)),
                        ("Reject", Deed.link("proposal.reject", back: "/proposals", subject)),
                    ]
                },
            ]
        )
    }

    private var trail: ListPage {
        ListPage(
            site: site,
            path: "/trail",
            title: "Who did what",
            section: "/operations",
            method: "audit.trail",
            filters: [
                FormField("actor", "Who"), FormField("from", "From (UTC)"), FormField("to", "To (UTC)"),
            ],
            empty: "Nobody did anything then.",
            columns: [
                .time("When (UTC)", "at"), .text("Who", "actor"), .text("What", "kind"),
                .init("Of what", text: { Lists.subject($0) }) { row in
                    let (product, rule) = (row["productId"]?.integer, row["ruleId"]?.integer)
                    let path = product.map { "/products/\($0)" } ?? rule.map { "/rules/\($0)" }
                    let name = Lists.subject(row)
                    return path.map { "<a href=\"\($0)\">\(name)</a>" } ?? "\(name)"
                },
                .init("Cause", text: { $0["cause"]?.string ?? "" }) { "\(Words.cause($0["cause"]?.string ?? ""))" },
                .text("Why", "reason"),
            ]
        )
    }

    /// What a line of the trail is about: a product by its title, anything else by its own name.
    private static func subject(_ row: JSONValue) -> String {
        let named = row["after"]?["name"]?.string ?? row["before"]?["name"]?.string
        let category = (row["after"]?["categoryId"] ?? row["before"]?["categoryId"])?.integer
        return row["title"]?.string ?? named ?? row["productId"]?.integer.map { "product \($0)" }
            ?? category.map { "category \($0)" } ?? "–"
    }
}
