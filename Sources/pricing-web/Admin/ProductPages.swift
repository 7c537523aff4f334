import JSON
import Markup
import PricingProtocol

/// Products: the list, and the page of one.
struct ProductPages: Sendable {
    static let path = "/products"

    let site: Site

    func add(to routes: inout Routes) {
        var list = ListPage(
            site: site,
            path: ProductPages.path,
            title: "Products",
            method: "product.list",
            filters: [
                FormField("search", "Search", .search),
                FormField(
                    "active",
                    "For sale",
                    .choice([.init("", "All"), .init("true", "Yes"), .init("false", "No")])
                ),
                FormField("minPrice", "Price from", .decimal), FormField("maxPrice", "Price to", .decimal),
                FormField("maxStock", "Stock up to", .integer),
            ],
            empty:
                "No product fits. <a href=\"/products\">Show all</a>, or make a <a href=\"/do/product.create\">new one</a>.",
            deeds: """
                <a href="\(Deed.link("product.create", back: "/products/{productId}"))">New product</a>\
                <a href="\(ImportPages.path)">Import</a>
                """,
            columns: ProductPages.columns
        )
        list.wrap = ManyPages.around
        list.add(to: &routes)
        ManyPages(site: site).add(to: &routes)
        ImportPages(site: site).add(to: &routes)
        routes.get("/products/{id}") { try await ProductPage(site: site, visit: $0).answer() }
    }

    private static let columns: [ListPage.Column] = [
        ManyPages.column,
        .count("Product", "productId", sort: "productId"),
        .link("Title", "productId", "title", to: "/products/", sort: "title"),
        .text("SKU", "sku"),
        .init("Price", .number, sort: "price", text: { $0["price"]?.string ?? "" }) { row in
            "<span data-price=\"\(row["productId"]?.integer ?? 0)\">\(Words.money(row["price"]?.string))</span>"
        },
        .money("Base", "basePrice"),
        .init("Stock", .number, sort: "stock", text: { $0["stock"]?.integer.map { String($0) } ?? "" }) { row in
            "<span data-stock=\"\(row["productId"]?.integer ?? 0)\">\(Words.count(row["stock"]?.integer))</span>"
        },
        .init("State", text: { ProductPages.state($0).joined(separator: ", ") }) { row in
            let tags = ProductPages.state(row).map { "<span class=\"tag \($0)\">\($0)</span> " as HTML }
            return "\(tags)"
        },
        .deeds { row in
            let id = row["productId"]?.integer.map { String($0) }
            return [
                ("Restock", Deed.link("inventory.restock", back: "/products", [("productId", id)])),
                ("Pin", Deed.link("price.pin", back: "/products", [("productId", id)])),
            ]
        },
    ]

    /// What is special about a product.
    static func state(_ row: JSONValue) -> [String] {
        var state: [String] = []
        if row["archived"]?.bool ?? false {
            state.append("archived")
        } else if row["active"]?.bool == false {
            state.append("inactive")
        }
        if row["pinned"]?.bool ?? false { state.append("pinned") }
        let stock = row["stock"]?.integer ?? 0
        if stock == 0 { state.append("out") } else if stock <= row["lowStock"]?.integer ?? 0 { state.append("low") }
        return state
    }
}
