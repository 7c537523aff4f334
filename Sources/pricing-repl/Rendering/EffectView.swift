import JSON

/// What a dry run would change, as a table.
struct EffectView {
    /// One thing that would move.
    struct Move: Equatable {
        var id: Int64
        var title: String
        var old: JSONValue
        var new: JSONValue
    }

    let prices: [Move]
    let stock: [Move]
    /// How many guards would bind.
    let guards: Int
    /// What else would happen, in sentences; each kind once.
    let others: [String]
    /// What the server needs to do just this.
    let digest: String?

    /// The most rows that are shown unless all are asked for.
    private static let most = 10

    /// From the reply of a dry run, or from the data of STALE.
    /// - Parameter titles: of products, where they are known.
    init(_ meta: JSONObject, titles: [Int64: String] = [:]) {
        let changes = meta["wouldChange"]?.object ?? [:]
        digest = meta["digest"]?.string
        var titles = titles
        for event in changes["events"]?.array ?? [] {
            guard let key = event["key"]?.integer, let title = event["after"]?["title"]?.string,
                ["price", "stock"].contains(event["topic"]?.string)
            else { continue }
            titles[key] = title
        }
        func moves(_ name: String) -> [Move] {
            (changes[name]?.array ?? []).compactMap { move in
                guard let id = move["productId"]?.integer else { return nil }
                let title = titles[id] ?? move["sku"]?.string ?? ""
                return Move(id: id, title: title, old: move["old"] ?? .null, new: move["new"] ?? .null)
            }
        }
        prices = moves("prices")
        stock = moves("stock")
        guards = changes["guards"]?.array?.count ?? 0
        others = EffectText.sentences(changes["events"]?.array ?? [])
    }

    /// How many products would move.
    var products: Int { Set(prices.map(\.id) + stock.map(\.id)).count }

    /// `31 prices, 2 stocks`
    var summary: String {
        let parts = [Self.counted(prices.count, "price"), Self.counted(stock.count, "stock")].compactMap { $0 }
        return parts.isEmpty ? "no price and no stock" : parts.joined(separator: " and ")
    }

    /// The same of one product with its figures, in ASCII: `stock 4 -> 24, price 35.20 -> 32.00`; nil where nothing moves.
    var brief: String? {
        guard products == 1 else { return products == 0 ? nil : summary }
        func move(_ name: String, _ moves: [Move]) -> String? {
            moves.first.map { "\(name) \(Grid.Cell($0.old).text) -> \(Grid.Cell($0.new).text)" }
        }
        return [move("stock", stock), move("price", prices) ?? "price stays"].compactMap { $0 }.joined(separator: ", ")
    }

    /// - Parameter isWhole: every row, however many.
    func text(width: Int?, palette: Palette, isWhole: Bool = false) -> String {
        let binding = guards == 0 ? "" : " (\(Self.counted(guards, "guard") ?? "") would bind)"
        // Where nothing moves, what else happens is all there is to say.
        let moves = products > 0 || others.isEmpty ? ["would move \(summary)\(binding)"] : []
        var text = (moves + others).joined(separator: " · ") + "\n"
        let rows = isWhole ? Int.max : Self.most
        if !prices.isEmpty { text += table("price", prices, rows, width, palette) }
        if !stock.isEmpty { text += table("stock", stock, rows, width, palette) }
        return text
    }

    private func table(_ name: String, _ moves: [Move], _ most: Int, _ width: Int?, _ palette: Palette) -> String {
        // The largest moves first: they are what a person wants to see before saying yes.
        let sorted = moves.enumerated().sorted {
            let (left, right) = (Self.size($0.element), Self.size($1.element))
            return left != right ? left > right : $0.offset < $1.offset
        }.map(\.element)
        let table = ShownTable(
            columns: [
                .init(title: "#", isRight: true), .init(title: "title", mayBeCut: true),
                .init(title: "\(name) now", isRight: true), .init(title: "then", isRight: true),
                .init(title: "", isRight: true),
            ],
            rows: sorted.prefix(most).map { move in
                [
                    String(move.id), move.title, Grid.Cell(move.old).text, Grid.Cell(move.new).text, Self.change(move),
                ]
            }
        )
        var text = table.render(width: width, palette: palette) { column, cell in
            guard column == 4 else { return cell }
            return cell.contains("▼") ? palette.down(cell) : palette.up(cell)
        }
        if moves.count > most { text += "… \(moves.count - most) more\n" }
        return text
    }

    private static func size(_ move: Move) -> Double {
        guard let old = Double(Grid.Cell(move.old).text), let new = Double(Grid.Cell(move.new).text) else { return 0 }
        return old == 0 ? .infinity : abs(new - old) / abs(old)
    }

    private static func change(_ move: Move) -> String {
        if let old = Amount(move.old), let new = Amount(move.new) { return new.change(from: old) }
        guard let old = move.old.integer, let new = move.new.integer else { return "" }
        return new >= old ? "+\(new - old)" : "\(new - old)"
    }

    private static func counted(_ count: Int, _ noun: String) -> String? {
        count == 0 ? nil : "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
