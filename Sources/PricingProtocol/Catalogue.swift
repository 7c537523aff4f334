package import JSON

/// Categories, suppliers and products.
package enum Catalogue {
    static let category = ObjectShape.result(
        "Category",
        shown([
            .categoryId, Field("name", .name(1...200), "Its name, unique."),
            .text("description", "What belongs in it."),
        ])
    )

    static let supplierFields: [Field] = [
        Field("companyName", .name(1...200), "The company's name."),
        Field("contactEmail", .name(3...254), "Where to write.").nullable.optional,
        Field("taxNumber", .name(1...64), "Its tax number, unique.").nullable.optional,
        Field("address", .text(0...500), "Postal address.").optional,
    ]

    static let supplier = ObjectShape.result("Supplier", [.supplierId] + supplierFields)

    static let product = ObjectShape.result(
        "Product",
        [
            .productId, .sku,
            Field("title", .name(1...200), "Its title."),
            .text("description", upTo: 10_000, "What it is."),
            .categoryId,
            Field.supplierId.nullable,
            .money("basePrice", "The list price that automation starts from."),
            Field.money("unitCost", "What one unit costs the shop.", zeroAllowed: true).nullable,
            .money("price", "The price that is charged."), .money("regularPrice", "The price without campaigns."),
            .money(
                "floor",
                "The lowest price that may be posted: the declared floor, or cost with its minimum margin."
            ),
            .money("ceiling", "The highest price that may be posted; the floor beats it."),
            .money("declaredFloor", "The floor as it was declared."),
            .money("declaredCeiling", "The ceiling as it was declared."),
            Field(
                "limitsDeclared",
                .list(.choice(["floor", "ceiling"]), 0...2),
                "Which limits the merchant declared; the others follow the base price."
            ),
            .stock,
            Field("available", .integer(0...2_147_483_647), "On hand less held."),
            .lowStock, .highStock, .ruleId,
            Field("elasticity", .number(0.1...20), "Percent of demand lost for each percent of price, at base."),
            Field("refRate", .number(0...1_000_000_000), "Units a day that sell at base, as declared.").nullable,
            .money("unitValue", "What a unit left at the season's end is worth.", zeroAllowed: true),
            Field("decay", .number(0...1), "The share of willingness to pay lost a day."),
            Field.time("seasonStart", "When the season began.").nullable,
            Field.time("seasonEnd", "When stock must be gone; null for never.").nullable,
            Field("seasonProfile", .list(.number(0...1_000_000), 1...1000), "Demand weights of equal slices, mean 1.")
                .nullable,
            Field("pinned", .boolean, "Whether a manual price stands."),
            Field("active", .boolean, "Whether it is for sale."),
            Field("archived", .boolean, "Whether it was taken out for good."),
            Field("version", .integer(1...2_147_483_647), "Counts the changes of the declaration."),
            Field("warnings", .list(.text(1...500), 0...10), "What the declaration makes of itself that may surprise."),
        ]
    )

    /// What a merchant declares, in create and update alike.
    private static let declaration: [Field] = [
        Field("description", .text(0...10_000), "What it is.").optional,
        Field.supplierId.nullable.optional,
        Field.money("unitCost", "What one unit costs; with a minimum margin it lifts the floor.", zeroAllowed: true)
            .nullable.optional,
        Field.money("floor", "The lowest price; half of base unless given.").optional,
        Field.money("ceiling", "The highest price; twice base unless given.").optional,
        Field.lowStock.optional, Field.highStock.optional, Field.ruleId.optional,
        Field(
            "elasticity",
            .number(0.1...20),
            "Percent of demand lost for each percent that the price rises, at base; 2 unless given."
        ).optional,
        Field(
            "refRate",
            .number(0.000001...1_000_000_000),
            "Units a day that sell at base; the first stock over the days it should last unless given."
        ).nullable.optional,
        Field.money(
            "unitValue",
            "What a unit left at the season's end is worth: salvage or replacement; 0 unless given.",
            zeroAllowed: true
        ).optional,
        Field("decay", .number(0...1), "The share of willingness to pay lost a day, as with fashion; 0 unless given.")
            .optional,
        Field.time("seasonStart", "When the season begins; now unless given with a season's end.").optional,
        Field.time("seasonEnd", "When stock must be gone; null takes a season away.").nullable.optional,
        Field(
            "seasonProfile",
            .list(.number(0...1_000_000), 1...1000),
            "Demand weights of equal slices of the season, scaled to mean 1; flat unless given."
        ).nullable.optional,
        Field("active", .boolean, "Whether it is for sale; yes unless given.").optional,
    ]

    /// A row of an import: what product.create and product.update take, with names where they take ids.
    package static let importRow = ObjectShape(
        [
            Field.productId.optional.or(Field("sku", .nullable(.name(1...64)), "The SKU."), mayAccompany: true),
            Field("title", .name(1...200), "Its title.").optional,
            Field.money("basePrice", "The list price that automation starts from.").optional,
            Field.categoryId.optional.or(Field("category", .name(1...200), "The category's name.")),
            Field.stock.optional,
            Field("version", .integer(1...2_147_483_647), "Refuse (STALE) unless the product is still at it.").optional,
        ]
            + declaration.map { field in
                switch field.name {
                case "supplierId":
                    field.or(Field("supplier", .nullable(.name(1...200)), "The supplier's company name."))
                case "ruleId": field.or(Field("rule", .name(1...200), "The name of a rule that is active."))
                default: field
                }
            }
    )

    private static let references: [ErrorCode] = [
        .categoryNotFound, .supplierNotFound, .ruleNotFound, .ruleInvalid, .outsideLimits,
    ]

    static let methods: [Method] = [
        Method(
            "category.list",
            .viewer,
            .read,
            "Lists the categories by id.",
            for: .public,
            takes: [.limit, .cursor],
            gives: .page(of: category),
            example: [:]
        ),
        Method(
            "category.create",
            .operator,
            .write,
            "Makes a category.",
            takes: [
                Field("name", .name(1...200), "Its name, unique."),
                Field.text("description", "What belongs in it.").optional,
            ],
            gives: category,
            example: ["name": "Tea"]
        ),
        Method(
            "category.update",
            .operator,
            .write,
            "Changes the given members of a category.",
            takes: [
                .categoryId, Field("name", .name(1...200), "Its name, unique.").optional,
                Field.text("description", "What belongs in it.").optional,
            ],
            gives: category,
            errors: [.categoryNotFound],
            example: ["categoryId": 5, "name": "Sports"]
        ),
        Method(
            "category.delete",
            .operator,
            .write,
            "Removes a category that no product names, archived ones included.",
            takes: [.categoryId],
            gives: .result([.categoryId, Field("deleted", .boolean, "Always true.")]),
            errors: [.categoryNotFound, .categoryInUse],
            isDestructive: true,
            example: ["categoryId": 6]
        ),
        Method(
            "supplier.list",
            .viewer,
            .read,
            "Lists the suppliers by id.",
            takes: [.limit, .cursor],
            gives: .page(of: supplier),
            example: [:]
        ),
        Method(
            "supplier.get",
            .viewer,
            .read,
            "Gives one supplier.",
            takes: [.supplierId],
            gives: supplier,
            errors: [.supplierNotFound],
            example: ["supplierId": 1]
        ),
        Method(
            "supplier.create",
            .operator,
            .write,
            "Makes a supplier.",
            takes: supplierFields,
            gives: supplier,
            example: ["companyName": "North Tea"]
        ),
        Method(
            "supplier.update",
            .operator,
            .write,
            "Changes the given members of a supplier.",
            takes: [.supplierId, supplierFields[0].optional] + supplierFields.dropFirst(),
            gives: supplier,
            errors: [.supplierNotFound],
            example: ["supplierId": 1, "address": "1 Quay, Hull"]
        ),
        Method(
            "supplier.delete",
            .operator,
            .write,
            "Removes a supplier that no product names.",
            takes: [.supplierId],
            gives: .result([.supplierId, Field("deleted", .boolean, "Always true.")]),
            errors: [.supplierNotFound, .supplierInUse],
            isDestructive: true,
            example: ["supplierId": 5]
        ),
        Method(
            "product.list",
            .viewer,
            .read,
            "Lists products, filtered and sorted.",
            takes: [
                Field("search", .text(0...200), "Text in title, description or SKU, whatever its case and accents.")
                    .optional,
                Field.categoryId.optional, Field.supplierId.optional,
                Field("active", .boolean, "Only those for sale, or only those not.").optional,
                Field.money("minPrice", "Lowest posted price.", zeroAllowed: true).optional,
                Field.money("maxPrice", "Highest posted price.", zeroAllowed: true).optional,
                Field("minStock", .integer(0...2_147_483_647), "Least units on hand.").optional,
                Field("maxStock", .integer(0...2_147_483_647), "Most units on hand.").optional,
                Field(
                    "sort",
                    .choice(["productId", "-productId", "price", "-price", "stock", "-stock", "title", "-title"]),
                    "Order, titles as people sort; a minus sign turns it round."
                ).optional,
                .limit, .cursor,
            ],
            gives: .page(of: product),
            standby: .ifAsked,
            example: ["limit": 2, "sort": "-price"]
        ),
        Method(
            "product.get",
            .viewer,
            .read,
            "Gives one product with its price and stock.",
            takes: [.productId],
            gives: product,
            errors: [.productNotFound],
            batching: .reads,
            example: ["productId": 1]
        ),
        Method(
            "product.create",
            .operator,
            .write,
            "Makes a product; its price is guarded and rounded at once.",
            takes: [
                Field.sku.optional, Field("title", .name(1...200), "Its title."),
                .money("basePrice", "The list price that automation starts from."),
                .categoryId,
                Field.stock.optional,
            ] + declaration,
            gives: product,
            errors: references + [.skuTaken],
            example: ["title": "Green mug", "basePrice": "12.50", "categoryId": 1, "stock": 40]
        ),
        Method(
            "product.update",
            .operator,
            .write,
            "Changes the given members; a changed declaration is priced at once.",
            takes: [
                .productId.or(
                    Field(
                        "sku",
                        .nullable(.name(1...64)),
                        "Beside productId the product's new SKU, null for none; without it, names the product.",
                        completes: "sku"
                    ),
                    mayAccompany: true
                ),
                Field("title", .name(1...200), "Its title.").optional,
                Field.money("basePrice", "The list price that automation starts from.").optional,
                Field.categoryId.optional,
                Field("version", .integer(1...2_147_483_647), "Refuse (STALE) unless the product is still at it.")
                    .optional,
            ] + declaration,
            gives: product,
            errors: [.productNotFound, .productArchived, .stale, .skuTaken] + references,
            example: ["productId": 1, "title": "Green mug, large"]
        ),
        Method(
            "product.archive",
            .operator,
            .write,
            "Takes a product out of sale; its history stays.",
            takes: [.productId],
            gives: product,
            errors: [.productNotFound],
            isDestructive: true,
            example: ["productId": 20]
        ),
        Method(
            "product.import",
            .operator,
            .write,
            "Makes and changes many products in one call.",
            takes: [
                Field(
                    "rows",
                    .list(.any, CallLimit.importRows.elements(from: 1)),
                    """
                    A row with the productId, or the SKU, of a product changes it as product.update does, and members left \
                    out stay; another row makes what product.create takes. `category`, `supplier` and `rule` are \
                    names, in place of ids. `stock` is a counted figure, kept as an adjustment. Only one row may name a product: \
                    a later one fails. Rows of 100 bytes fill a line of 1 MiB: send what is longer in several calls.
                    """
                ),
                Field(
                    "mode",
                    .choice(["atomic", "perRow"]),
                    """
                    perRow, unless given: each row alone, a few in a transaction, so that orders go on. One that ended \
                    early is sent again under its key: what was done is not done again. atomic: all rows or none, and \
                    the error is that of the first refused row, with its row and all failed rows in data, or the \
                    violations of all rows.
                    """
                ).optional,
                Field("createMissing", .boolean, "Make the categories and suppliers that rows name and are not there.")
                    .optional,
                Field("rule", .name(1...200), "The name of the rule that new products follow, such as manual.")
                    .optional,
            ],
            gives: .result([
                .count("created", "Products made."), .count("updated", "Products changed."),
                .count("unchanged", "Products that were as their rows say."),
                Field(
                    "failed",
                    .list(.any, CallLimit.importRows.elements(from: 0)),
                    "{row, error} each, in mode perRow; row counts from 0."
                ),
            ]),
            errors: [.productNotFound, .productArchived, .stale, .skuTaken, .insufficientStock] + references,
            isLong: true,
            wakesTicker: true,
            example: ["rows": [["title": "Blue mug", "basePrice": "9.50", "categoryId": 1]]]
        ),
    ]
}
