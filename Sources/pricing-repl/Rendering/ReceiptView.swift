import JSON

/// What a deed has done, in a line.
extension DeedView {
    /// The receipt of a write; nil where the deed has none of its own.
    func receipt(of deed: Deed, _ things: [Named], _ result: JSONObject) -> String? {
        let thing = things.first?.text ?? ""
        switch deed.word {
        case .restock, .adjust: return moved(deed, thing, result)
        case .expect:
            let eta = Self.text(result["eta"])
            return "\(thing): \(Self.text(result["open"])) expected \(times.shown(eta) ?? eta)"
                + " · delivery \(Self.text(result["expectationId"]))\n"
        case .sell: return sold(things, result)
        case .pin:
            let until = result["until"]?.string
            return "\(thing): pinned at \(Self.text(result["price"]))"
                + (until.map { " until \(times.shown($0) ?? $0)" } ?? " until it is unpinned") + "\n"
        case .unpin: return "\(thing): \(Self.text(result["price"])), automatic again\n"
        case .halt:
            let scope = things.isEmpty ? "all" : thing
            let back = things.first.map { $0.kind == .category ? "cat \($0.id)" : "\($0.id)" } ?? "all"
            let count = result["products"]
            let keep = count == 1 ? "keeps its price" : "keep their price"
            let kept = count.map { "\(Self.products($0)) \(keep)" } ?? "prices stand still"
            return "halted: \(scope), \(kept) · orders go on · resume \(back)\n"
        case .resume:
            let count = result["resumed"]?.integer ?? 0
            guard count > 0 else {
                return "\(things.isEmpty ? "nothing" : thing) was \(things.isEmpty ? "" : "not ")halted\n"
            }
            return "resumed: \(things.isEmpty ? "all" : thing) · \(Self.products(result["evaluated"])) priced\n"
        case .undo: return undone(result)
        case .rule:
            let name = "rule \(Self.text(result["name"])) \(Self.text(result["version"]))"
            let skipped = result["skipped"]?.array?.count ?? 0
            let moved = result["productsMoved"]
            var text = "\(name) is in force: \(Self.products(moved)) \(moved == 1 ? "follows" : "follow") it"
            text += skipped > 0 ? ", \(skipped) cannot be priced yet\n" : "\n"
            for warning in result["warnings"]?.array ?? [] {
                text += palette.warning(Self.text(warning["message"])) + "\n"
            }
            return text
        default: return nil
        }
    }

    /// `1 product`, `31 products`.
    private static func products(_ count: JSONValue?) -> String {
        "\(text(count)) product\(count == 1 ? "" : "s")"
    }

    private func moved(_ deed: Deed, _ thing: String, _ result: JSONObject) -> String {
        let stock = result["stock"]?.integer ?? 0
        let before = stock - (deed.parameters["quantity"]?.integer ?? 0)
        return "\(thing): stock \(before) → \(stock), " + priceMove(result["priceBefore"], result["priceAfter"]) + "\n"
    }

    private func priceMove(_ old: JSONValue?, _ new: JSONValue?) -> String {
        guard let before = Amount(old), let after = Amount(new), before != after else {
            return "price stays \(Self.text(new))"
        }
        return "price \(before.text) → \(after.text) \(trended(after.change(from: before)))"
    }

    private func sold(_ things: [Named], _ result: JSONObject) -> String {
        var text = palette.bold("order \(Self.text(result["orderId"]))") + " · total \(Self.text(result["total"]))"
        if let buyer = things.last, buyer.kind == .user, !buyer.label.isEmpty {
            text += " · to \(DisplayText.safe(buyer.label))"
        }
        text += "\n"
        for line in result["lines"]?.array ?? [] {
            let id = line["productId"]?.integer
            let named = things.first { $0.kind == .product && $0.id == id }
            let name = named?.text ?? "product \(Self.text(line["productId"]))"
            let move = result["priceChanges"]?.array?.first { $0["productId"]?.integer == id }
            let price =
                move.map { priceMove($0["old"], $0["new"]) } ?? "price stays \(Self.text(line["unitPrice"]))"
            text += "  \(Self.text(line["quantity"])) × \(Self.text(line["unitPrice"]))  \(name) · \(price)\n"
        }
        return text
    }

    private func undone(_ result: JSONObject) -> String {
        let restored = result["restored"]?.array ?? []
        let skipped = result["skipped"]?.array ?? []
        var text = "\(restored.count) taken back, \(skipped.count) left\n"
        let table = ShownTable(
            columns: [
                .init(title: "#", isRight: true), .init(title: "title", mayBeCut: true),
                .init(title: "old", isRight: true), .init(title: "new", isRight: true), .init(title: "how"),
            ],
            rows: restored.prefix(20).map { row in
                ["productId", "title", "old", "new", "how"].map { Self.text(row[$0]) }
            }
        )
        if !restored.isEmpty { text += table.render(width: width, palette: palette) }
        if restored.count > 20 { text += "… \(restored.count - 20) more\n" }
        let reasons = skipped.reduce(into: [String]()) { all, row in
            let why = Self.text(row["why"])
            if !all.contains(why) { all.append(why) }
        }
        for why in reasons {
            let ids = skipped.filter { Self.text($0["why"]) == why }.map { Self.text($0["productId"]) }
            let names = ids.prefix(10).joined(separator: ", ") + (ids.count > 10 ? " and \(ids.count - 10) more" : "")
            text += DisplayText.wrapped("left: product\(ids.count == 1 ? "" : "s") \(names): \(why)", to: width) + "\n"
        }
        if let hold = result["hold"]?.string, restored.contains(where: { $0["how"]?.string?.contains("pin") == true }) {
            text += "held until \(times.shown(hold) ?? hold)\n"
        }
        return text
    }
}
