package import JSON

/// Products as a file that `ProductFile` reads: given back unchanged, it changes nothing.
package struct ProductExport: Sendable {
    /// What the price is now. An import leaves it out: a price is declared by its base, or pinned.
    static let postedPrice = "postedPrice"

    private static let columns = [
        "sku", "title", "description", "category", "supplier", "basePrice", "unitCost", "floor", "ceiling", "stock",
        "lowStock", "highStock", "rule", "active", postedPrice,
    ]

    /// Those that follow the base price where they were not declared: such a cell is empty.
    private static let limits = ["floor", "ceiling"]

    /// Where a column's name is not the reply's.
    private static let members = ["floor": "declaredFloor", "ceiling": "declaredCeiling", postedPrice: "price"]

    /// The names of categories, suppliers and rules, by their ids.
    private let names: [String: [Int64: String]]
    /// Names of several suppliers, which an import cannot tell apart.
    private let shared: Set<String>
    private var rows: [(id: String, fields: [String])] = []
    private var hasIDs = false
    /// Suppliers that were left out since others have their name.
    package private(set) var namesakes: Set<String> = []

    package init(categories: [JSONValue], suppliers: [JSONValue], rules: [JSONValue]) {
        func byID(_ items: [JSONValue], _ id: String, _ name: String) -> [Int64: String] {
            Dictionary(items.compactMap { item in item[id]?.integer.map { ($0, item[name]?.string ?? "") } }) { $1 }
        }
        names = [
            "category": byID(categories, "categoryId", "name"),
            "supplier": byID(suppliers, "supplierId", "companyName"),
            "rule": byID(rules, "ruleId", "name"),
        ]
        let suppliers = names["supplier"] ?? [:]
        shared = Set(Dictionary(grouping: suppliers.values) { $0.lowercased() }.values.filter { $0.count > 1 }.joined())
    }

    package var count: Int { rows.count }

    /// Adds a product as `product.list` gives it; one that is archived takes no import and is left out.
    package mutating func add(_ product: JSONValue) {
        guard product["archived"] != true else { return }
        // A product is known again by its SKU; one without any by its id.
        let id = product["sku"]?.string == nil ? product["productId"]?.integer.map(String.init) ?? "" : ""
        hasIDs = hasIDs || !id.isEmpty
        rows.append((id, Self.columns.map { field($0, of: product) }))
    }

    private mutating func field(_ column: String, of product: JSONValue) -> String {
        if let names = names[column] {
            guard let name = product[column + "Id"]?.integer.flatMap({ names[$0] }) else { return "" }
            if column == "supplier", shared.contains(name) {
                namesakes.insert(name)
                return ""
            }
            return CSVTable.harmless(name)
        }
        let declared = product["limitsDeclared"]?.array ?? []
        if Self.limits.contains(column), !declared.contains(.string(column)) { return "" }
        switch product[Self.members[column] ?? column] {
        case .string(let text): return CSVTable.harmless(text)
        case .integer(let number): return "\(number)"
        case .bool(let flag): return "\(flag)"
        case .decimal(let text): return text
        case .null, .array, .object, nil: return ""
        }
    }

    /// The file.
    package func text(separatedBy separator: ProductFile.Separator, hasMark: Bool) -> String {
        let lines = [(id: "productId", fields: Self.columns)] + rows
        return lines.reduce(into: hasMark ? "\u{FEFF}" : "") { text, line in
            text += CSVTable.line((hasIDs ? [line.id] : []) + line.fields, separatedBy: separator.byte)
        }
    }
}
