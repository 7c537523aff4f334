import JSON

/// What came of a deed, as a person reads it. Pure: the server's replies and the terminal are given.
struct DeedView {
    var width: Int?
    var palette = Palette.plain
    var times = HumanTime()

    // MARK: find

    /// The products that a filter of `find` keeps.
    static func kept(_ item: JSONValue, by filter: String?) -> Bool {
        let stock = item["stock"]?.integer ?? 0
        switch filter {
        case "low": return stock <= item["lowStock"]?.integer ?? -1
        case "high": return stock >= item["highStock"]?.integer ?? .max
        case "pinned": return item["pinned"]?.bool == true
        default: return true
        }
    }

    /// - Parameter elapsed: how long the call took; nil where that is not told.
    func products(_ items: [JSONValue], hasMore: Bool = false, elapsed: Duration? = nil) -> String {
        guard !items.isEmpty else { return "no product is like that; find cat NAME lists a category\n" }
        let rows = items.map { item -> [String] in
            let cells = Self.cells(of: item)
            return [cells.id, cells.title, cells.price, cells.trend, cells.stock, cells.state]
        }
        let table = ShownTable(
            columns: [
                .init(title: "#", isRight: true), .init(title: "title", mayBeCut: true),
                .init(title: "price", isRight: true), .init(title: ""), .init(title: "stock", isRight: true),
                .init(title: ""),
            ],
            rows: rows
        )
        let text = table.render(width: width, palette: palette) { column, cell in
            switch column {
            case 3: trended(cell)
            case 5: palette.warning(cell)
            default: cell
            }
        }
        let count = "\(items.count)\(hasMore ? " of more" : "") product\(items.count == 1 && !hasMore ? "" : "s")"
        let names = items.count == 1 ? "%1 names it" : "%1 … %\(items.count) name the rows"
        let footer = [count, elapsed.map { Link.milliseconds($0) }, names].compactMap(\.self)
        return text + palette.faint(footer.joined(separator: " · ")) + "\n"
    }

    /// What a list shows of a product.
    struct ProductCells {
        var id, title, price, trend, stock, state: String
    }

    static func cells(of item: JSONValue) -> ProductCells {
        let base = Amount(item["basePrice"])
        let level = kept(item, by: "low") ? "low" : kept(item, by: "high") ? "high" : ""
        let state = [
            level, item["pinned"]?.bool == true ? "pinned" : "", item["archived"]?.bool == true ? "archived" : "",
        ]
        return ProductCells(
            id: text(item["productId"]),
            title: text(item["title"]),
            price: text(item["price"]),
            trend: Amount(item["price"]).flatMap { now in base.map { now.change(from: $0) } } ?? "",
            stock: text(item["stock"]),
            state: state.filter { !$0.isEmpty }.joined(separator: ", ")
        )
    }

    // MARK: one thing

    /// A product in a few lines.
    func product(_ item: JSONObject) -> String {
        let base = Amount(item["basePrice"])
        let change = Amount(item["price"]).flatMap { now in base.map { now.change(from: $0) } } ?? ""
        let head = "\(Self.text(item["productId"])) \(Self.text(item["title"]))"
        var text = palette.bold(head) + (item["sku"]?.string.map { "  \(DisplayText.safe($0))" } ?? "") + "\n"
        var price = "price \(Self.text(item["price"]))"
        if !change.isEmpty { price += " \(trended(change)) from base \(Self.text(item["basePrice"]))" }
        price += " · limits \(Self.text(item["floor"]))…\(Self.text(item["ceiling"]))"
        if item["pinned"]?.bool == true { price += " · pinned" }
        text += "  \(price)\n"
        var stock = "stock \(Self.text(item["stock"]))"
        if item["available"] != item["stock"] { stock += ", \(Self.text(item["available"])) available" }
        stock += " · low at \(Self.text(item["lowStock"])), high at \(Self.text(item["highStock"]))"
        text += "  \(stock)\n"
        var state: [String] = []
        if item["archived"]?.bool == true { state.append("archived") }
        if item["active"]?.bool == false { state.append("not for sale") }
        let told = state + (item["warnings"]?.array ?? []).compactMap(\.string)
        for line in told { text += "  \(palette.warning(DisplayText.safe(line)))\n" }
        if let end = item["seasonEnd"]?.string { text += "  season ends \(times.shown(end) ?? end)\n" }
        if let description = item["description"]?.string, !description.isEmpty {
            text += "  \(DisplayText.safe(description))\n"
        }
        return text
    }

    // MARK: why and history

    func why(_ answer: JSONObject, _ product: JSONObject, _ moves: [JSONValue]) -> String {
        let now = Amount(answer["price"])
        let base = Amount(answer["basePrice"])
        let change = now.flatMap { now in base.map { now.change(from: $0) } } ?? ""
        let stock = Self.text(answer["stock"])
        let head = "\(Self.text(answer["productId"])) \(Self.text(product["title"])): \(Self.text(answer["price"]))"
        let trend = change.isEmpty ? ", its base" : " \(trended(change)) from base \(base?.text ?? "")"
        var line = palette.bold(head) + trend
        let isLow = answer["stock"]?.integer ?? 0 <= product["lowStock"]?.integer ?? -1
        let isHigh = answer["stock"]?.integer ?? 0 >= product["highStock"]?.integer ?? .max
        line += ", \(stock) in stock"
        if isLow { line += " (low is \(Self.text(product["lowStock"])))" }
        if isHigh { line += " (high is \(Self.text(product["highStock"])))" }
        if let frozen = answer["frozen"]?.string {
            line += ", \(palette.warning(frozen.replacing("_", with: " ")))"
        }
        var text = line + "\n"
        let lines = (answer["text"]?.string ?? "").split(separator: "\n").map(String.init)
        for line in lines.dropFirst() {
            if line.hasPrefix("  next:"), !moves.isEmpty, !text.contains("moves ") { text += "  \(spark(moves))\n" }
            // A column is left free, as in a frame of `\watch`.
            text += DisplayText.wrapped(DisplayText.safe(withLocalTimes(line)), to: width.map { $0 - 1 }) + "\n"
        }
        return text
    }

    func history(_ thing: String, _ moves: [JSONValue]) -> String {
        guard !moves.isEmpty else { return "\(thing): its price has not moved\n" }
        var text = "\(palette.bold(thing))  \(spark(moves))\n"
        let rows = moves.map { move -> [String] in
            let new = Amount(move["new"])
            let change = Amount(move["old"]).flatMap { old in new.map { $0.change(from: old) } } ?? ""
            let at = Self.text(move["at"])
            return [
                times.shown(at) ?? at, Self.text(move["old"]), Self.text(move["new"]), change, Self.text(move["stock"]),
                Self.text(move["cause"]), Self.text(move["bindingGuard"]), Self.text(move["actor"]),
                Self.text(move["reason"]),
            ]
        }
        let table = ShownTable(
            columns: [
                .init(title: "at"), .init(title: "old", isRight: true), .init(title: "new", isRight: true),
                .init(title: ""), .init(title: "stock", isRight: true), .init(title: "cause"), .init(title: "guard"),
                .init(title: "by", mayBeCut: true), .init(title: "reason", mayBeCut: true),
            ],
            rows: rows
        )
        text += table.render(width: width, palette: palette) { $0 == 3 ? trended($1) : $1 }
        return text
    }

    /// The moves as a line, oldest first, with their extremes.
    private func spark(_ moves: [JSONValue]) -> String {
        let prices = moves.reversed().flatMap { [$0["old"], $0["new"]] }.compactMap { Amount($0) }
        guard let least = prices.min(by: { $0.cents < $1.cents }), let highest = prices.max(by: { $0.cents < $1.cents })
        else { return "" }
        let line = Sparkline.text(
            [Double(prices[0].cents)] + moves.reversed().compactMap { Amount($0["new"]) }.map { Double($0.cents) }
        )
        return "moves \(line)  \(least.text)…\(highest.text), \(moves.count) move\(moves.count == 1 ? "" : "s")"
    }

    // MARK: who

    func trail(_ items: [JSONValue]) -> String {
        guard !items.isEmpty else { return "nobody has touched it\n" }
        let table = ShownTable(
            columns: [
                .init(title: "at"), .init(title: "who", mayBeCut: true), .init(title: "did"),
                .init(title: "what", mayBeCut: true), .init(title: "why", mayBeCut: true),
            ],
            rows: items.map { item in
                let at = Self.text(item["at"])
                return [
                    times.shown(at) ?? at, Self.text(item["actor"]), Self.text(item["kind"]), Self.difference(item),
                    Self.text(item["reason"]),
                ]
            }
        )
        return table.render(width: width, palette: palette)
    }

    /// The versions of a rule, the newest first: who made each, and what is other than in the one before it.
    func versions(_ items: [JSONValue]) -> String {
        let rows = items.indices.map { index -> [String] in
            let item = items[index]
            let since = Self.text(item["activatedAt"])
            let state = item["status"] == "active" ? times.shown(since) ?? since : Self.text(item["status"])
            let before = index > 0 ? items[index - 1]["parameters"] : nil
            let changed = (item["parameters"]?.object ?? [:]).filter { $0.value != before?[$0.key] }
            let made = Self.text(item["createdAt"])
            return [
                Self.text(item["version"]), times.shown(made) ?? made, Self.text(item["actor"]), state,
                before == nil
                    ? Self.text(item["strategy"])
                    : Self.difference([
                        "before": before ?? [:], "after": .object(JSONObject(changed.map { ($0.key, $0.value) })),
                    ]),
                Self.text(item["note"]),
            ]
        }
        return ShownTable(
            columns: [
                .init(title: "#", isRight: true), .init(title: "made"), .init(title: "by", mayBeCut: true),
                .init(title: "in force since"), .init(title: "what", mayBeCut: true),
                .init(title: "why", mayBeCut: true),
            ],
            rows: rows.reversed()
        ).render(width: width, palette: palette)
    }

    /// `basePrice 10.00 → 12.00, floor 5.00 → 6.00`.
    static func difference(_ item: JSONValue) -> String {
        let after = item["after"]?.object ?? [:]
        return after.filter { !$0.value.isNull || item["before"]?[$0.key]?.isNull == false }.map { name, value in
            let old = item["before"]?[name] ?? .null
            return old.isNull || old == value ? "\(name) \(text(value))" : "\(name) \(text(old)) → \(text(value))"
        }.joined(separator: ", ")
    }

    // MARK: shared

    static func text(_ value: JSONValue?) -> String { value.map { DisplayText.safe(Grid.Cell($0).text) } ?? "" }

    func trended(_ text: String) -> String { text.contains("▼") ? palette.down(text) : palette.up(text) }

    /// A line of the server's words with its times on the operator's clock.
    func withLocalTimes(_ line: String) -> String {
        line.split(separator: " ", omittingEmptySubsequences: false).map { word in
            let tail = word.last.map { ",:;)".contains($0) } == true ? 1 : 0
            guard let shown = times.shown(String(word.dropLast(tail))) else { return String(word) }
            return shown + word.suffix(tail)
        }.joined(separator: " ")
    }
}
