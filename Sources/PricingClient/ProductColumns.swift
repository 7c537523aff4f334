import JSON
import PricingProtocol

/// Which member of a product each column of a file holds.
struct ProductColumns {
    /// The column of reasons in a file of failed rows.
    static let reason = "importFailure"
    /// Columns of our own files that say nothing to an import.
    static let ignored = [reason, ProductExport.postedPrice]

    /// One for each column; nil for those that are left out.
    let members: [Field?]

    /// - Throws: every column that is unknown or said twice, with what may be meant.
    init(
        header: CSVTable.Record,
        rows: [CSVTable.Record],
        map: [String: String]
    ) throws(ProductFile.Unusable) {
        let known = Catalogue.importRow.fields
        var problems: [String] = []
        let mapped = Dictionary(map.map { (Self.folded($0.key), $0.value) }) { first, _ in first }
        let given = Set(header.fields.map(Self.folded))
        for column in map.keys.sorted() where !given.contains(Self.folded(column)) {
            problems.append("--map \(column): the file has no such column\(Self.nearest(column, header.fields))")
        }
        var members: [Field?] = []
        for (index, column) in header.fields.enumerated() {
            let name = mapped[Self.folded(column)] ?? column
            let field = known.first { Self.folded($0.name) == Self.folded(name) }
            members.append(field)
            if let field, let first = members.dropLast().firstIndex(where: { $0 == field }) {
                problems.append("the columns \(header.fields[first]) and \(column) both hold \(field.name)")
            }
            guard field == nil, !Self.isLeftOut(column, name, index, rows) else { continue }
            problems.append(Self.unknown(column, index, mapped[Self.folded(column)]))
        }
        if problems.isEmpty, !members.contains(where: { $0?.name == "sku" || $0?.name == "productId" }) {
            problems.append("no column holds a sku; without one, the file given again would make all products twice")
        }
        guard problems.isEmpty else {
            throw ProductFile.Unusable(problems: problems.map { "line \(header.line): \($0)" })
        }
        self.members = members
    }

    /// A name without what people write differently.
    static func folded(_ name: String) -> String {
        name.lowercased().filter { !$0.isWhitespace && $0 != "_" && $0 != "-" }
    }

    private static func isLeftOut(_ column: String, _ name: String, _ index: Int, _ rows: [CSVTable.Record]) -> Bool {
        if !column.isEmpty, name.isEmpty { return true }
        if ignored.contains(where: { folded($0) == folded(name) }) { return true }
        // A spreadsheet writes an empty column behind the last.
        return column.isEmpty && rows.allSatisfy { $0.fields.count <= index || $0.fields[index].isEmpty }
    }

    private static func unknown(_ column: String, _ index: Int, _ target: String?) -> String {
        let names = Catalogue.importRow.fields.map(\.name)
        if let target { return "--map \(column)=\(target): there is no \(target)\(nearest(target, names))" }
        guard !column.isEmpty else { return "column \(index + 1) has no name, though it has values" }
        let near = near(column, names)
        let (some, all) = (near.joined(separator: " or "), names.joined(separator: ", "))
        let meant = near.isEmpty ? "a file may have \(all)" : "did you mean \(some)?"
        let says = near.first.map { "--map \(column)=\($0) says so, " } ?? ""
        return "there is no column \(column): \(meant); \(says)--map \(column)= leaves it out"
    }

    private static func nearest(_ name: String, _ names: [String]) -> String {
        let near = near(name, names)
        return near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
    }

    /// Names that hold the word, or nearly are it.
    private static func near(_ word: String, _ names: [String]) -> [String] {
        let folded = folded(word)
        let holding = names.filter { folded.utf8.count > 2 && Self.folded($0).contains(folded) }
        guard holding.isEmpty else { return Array(holding.prefix(3)) }
        let near = NearNames.of(folded, among: names.map(Self.folded), within: min(2, folded.utf8.count / 2))
        return near.compactMap { near in names.first { Self.folded($0) == near } }
    }
}
