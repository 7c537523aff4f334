import JSON

// The fields that several methods share, each with its one schema.

extension Field {
    /// An id of the shop; ids are positive integers.
    static func id(_ name: String, _ summary: String, completes: String? = nil) -> Field {
        Field(name, .integer(1...JSONValue.largestExactInteger), summary, completes: completes)
    }

    static func money(_ name: String, _ summary: String, zeroAllowed: Bool = false) -> Field {
        Field(name, .money(minimumHundredths: zeroAllowed ? 0 : 1), summary)
    }

    /// A sum of money, of any size.
    static func sum(_ name: String, _ summary: String) -> Field {
        Field(name, .sum, summary)
    }

    static func count(_ name: String, _ summary: String) -> Field {
        Field(name, .integer(0...JSONValue.largestExactInteger), summary)
    }

    static func time(_ name: String, _ summary: String) -> Field {
        Field(name, .time, summary)
    }

    static func text(_ name: String, upTo length: Int = 2000, _ summary: String) -> Field {
        Field(name, .text(0...length), summary)
    }

    static let productId = id("productId", "A product's id.", completes: "product").or(skuInPlace)
    static let productIds = Field(
        "productIds",
        .list(productId.schema, CallLimit.pageRows.elements(from: 1)),
        "Which products.",
        completes: "product"
    ).or(
        Field(
            "skus",
            .list(skuInPlace.schema, CallLimit.pageRows.elements(from: 1)),
            "The products by SKU, in place of productIds.",
            completes: "sku"
        )
    )
    private static let skuInPlace = Field(
        "sku",
        .name(1...64),
        "The product's SKU, in place of productId; its case does not matter.",
        completes: "sku"
    )
    /// As the merchant declares it, and as replies have it beside every productId.
    static let sku = Field("sku", .name(1...64), "The merchant's own number of the product, unique.").nullable
    static let categoryId = id("categoryId", "A category's id.", completes: "category")
    static let supplierId = id("supplierId", "A supplier's id.", completes: "supplier")
    static let userId = id("userId", "A user's id.", completes: "user")
    static let customerId = id("customerId", "The user who buys.", completes: "user").or(
        Field("customerEmail", .name(3...254), "The customer's e-mail, in place of customerId.", completes: "email")
    )
    static let orderId = id("orderId", "An order's id.", completes: "order")
    static let ruleId = id("ruleId", "A rule version's id.", completes: "rule")
    static let expectationId = id("expectationId", "An expected delivery's id.")
    static let strategy = Field(
        "strategy",
        .choice(Strategies.names),
        "How the price follows stock."
    )
    static let reason = Field("reason", .name(0...500), "Why, kept in the ledger.").optional
    static let quantity = Field("quantity", .integer(1...1_000_000_000), "Units.")
    static let limit = Field("limit", .integer(1...CallLimit.pageRows.value), "Rows a page; 50 unless given.").optional
    static let cursor = Field(
        "cursor",
        .text(1...2000),
        "Where the last page ended: its nextCursor, for the same filters and sort."
    ).optional
    static let skipped = Field(
        "skipped",
        .list(
            .object(
                .result(
                    "SkippedProduct",
                    [productId, sku, text("reason", "The database's own: SQLSTATE and message.")]
                )
            ),
            CallLimit.pageRows.elements(from: 0)
        ),
        "The first of the products that could not be computed, each left as it was."
    )
    static let stock = Field("stock", .integer(0...2_147_483_647), "Units on hand.")
    static let lowStock = Field("lowStock", .integer(0...1_000_000_000), "At or below it stock counts as low.")
    static let highStock = Field("highStock", .integer(3...1_000_000_000), "At or above it stock counts as high.")
}

/// The strategies, whose home is the table `strategy`. The document of the methods is made without a database, so their
/// names stand here too; a test compares the two.
package enum Strategies {
    package static let names = ["bands", "cover", "deadline", "learn", "restock", "markdown", "manual"]
}

extension ObjectShape {
    /// One page of a list.
    static func page(of item: ObjectShape) -> ObjectShape {
        ObjectShape(
            item.name.map { "\($0)Page" },
            isOpen: true,
            [
                Field("items", .list(.object(item), CallLimit.pageRows.elements(from: 0)), "The rows of this page.")
                    .shown,
                Field("nextCursor", .text(0...2000), "Gives the next page; null on the last.").nullable.shown,
            ]
        )
    }

    /// All rows at once.
    static func rows(of item: ObjectShape) -> ObjectShape {
        ObjectShape(isOpen: true, [Field("items", .list(.object(item), 0...100_000), "The rows.").shown])
    }

    static func result(_ name: String, _ fields: [Field]) -> ObjectShape {
        ObjectShape(name, isOpen: true, fields)
    }

    static func result(_ fields: [Field]) -> ObjectShape {
        ObjectShape(isOpen: true, fields)
    }

    static let empty = ObjectShape(isOpen: true, [])
}
