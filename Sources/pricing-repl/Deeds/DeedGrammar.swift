import JSON

/// What the words after a deed mean. Pure: names are resolved by the caller, times by the clock that is given.
struct DeedGrammar {
    let catalogue: MethodCatalogue
    let times: HumanTime

    func read(_ deed: DeedWord, _ tokens: [Token]) throws(SyntaxError) -> Deed {
        var reader = DeedReader(deed, tokens, times: times)
        var result = try self.deed(&reader)
        try reader.end()
        result.echoes = reader.echoes
        result.places = reader.places
        for slot in result.slots {
            for path in slot.paths { result.places[path] = slot.reference.range }
        }
        return result
    }

    private func deed(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        switch reader.deed {
        case .find: return try find(&reader)
        case .show:
            return Deed(word: .show, slots: [slot(try reader.reference([.product], or: Reference.Kind.allCases))])
        case .why: return try why(&reader)
        case .history:
            var deed = one(.history, "price.history", try reader.reference([.product], stops: ["since"]))
            if reader.takes("since") {
                deed.parameters["from"] = .string(try reader.time(.past, after: "since", "from"))
            }
            deed.parameters["limit"] = 500
            return deed
        case .plot: return try plot(&reader)
        case .restock: return try moved(.restock, "inventory.restock", &reader)
        case .adjust: return try moved(.adjust, "inventory.adjust", &reader)
        case .expect:
            var deed = one(.expect, "inventory.expect", try reader.reference([.product]))
            deed.parameters["quantity"] = .integer(try reader.units("quantity"))
            guard reader.takes("on") else { throw reader.wanted("on WHEN", "on monday") }
            deed.parameters["eta"] = .string(try reader.time(.future, after: "on", "eta"))
            deed.parameters["reason"] = try reader.reason()
            return deed
        case .sell: return try sell(&reader)
        case .pin:
            var deed = one(.pin, "price.pin", try reader.reference([.product]))
            deed.parameters["price"] = .string(try reader.money("price"))
            if reader.takes("until") {
                deed.parameters["until"] = .string(try reader.time(.future, after: "until", "until"))
            }
            deed.parameters["reason"] = try reader.reason()
            return deed
        case .unpin:
            var deed = one(.unpin, "price.unpin", try reader.reference([.product]))
            deed.parameters["reason"] = try reader.reason()
            return deed
        case .halt, .resume: return try halt(&reader)
        case .undo: return try undo(&reader)
        case .rule: return try rule(&reader)
        case .who:
            let reference = try reader.reference([.product], or: [.rule])
            return one(.who, reference.kinds == [.rule] ? "rule.list" : "audit.trail", reference)
        case .watch: return try watch(&reader)
        case .tail: return try tail(&reader)
        case .try: throw reader.wanted("COMMAND", "restock 18 +20")
        }
    }

    private func slot(_ reference: Reference, _ parameter: String? = nil) -> Deed.Slot {
        Deed.Slot(reference: reference, parameter: parameter)
    }

    private func one(_ word: DeedWord, _ method: String, _ reference: Reference) -> Deed {
        Deed(word: word, method: method, slots: [slot(reference)])
    }

    private func find(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        var deed = Deed(word: .find, method: "product.list", parameters: ["limit": 500])
        let stops: Set = ["in", "cat", "category", "low", "high", "pinned", "under", "over"]
        var words: [String] = []
        while let token = reader.peek {
            if reader.takes("in") || reader.takes("cat") || reader.takes("category") {
                deed.slots = [slot(try reader.reference([.category], stops: stops))]
            } else if reader.takes("under") {
                deed.parameters["maxPrice"] = .string(try reader.money("maxPrice"))
            } else if reader.takes("over") {
                deed.parameters["minPrice"] = .string(try reader.money("minPrice"))
            } else if token.kind == .word, ["low", "high", "pinned"].contains(token.text) {
                deed.filter = token.text
                reader.skip()
            } else {
                words.append(try TokenReader.text(of: token))
                reader.took(1, as: "search")
            }
        }
        if !words.isEmpty { deed.parameters["search"] = .string(words.joined(separator: " ")) }
        return deed
    }

    private func why(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        var deed = one(.why, "price.why", try reader.reference([.product], stops: ["at"]))
        if reader.takes("at") {
            deed.method = "price.preview"
            deed.parameters["stock"] = .integer(try reader.units("stock", like: ("STOCK", "3")))
        }
        return deed
    }

    private func plot(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        let product = try reader.reference([.product], stops: ["price", "stock", "since"])
        var deed = one(.plot, "product.timeline", product)
        if reader.takes("stock") { deed.filter = "stock" } else { _ = reader.takes("price") }
        if reader.takes("since") { deed.parameters["from"] = .string(try reader.time(.past, after: "since", "from")) }
        deed.parameters["points"] = 1000
        return deed
    }

    /// A change of a rule is always asked: it concerns products that nobody has named.
    private func rule(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        var deed = one(.rule, "rule.revise", try reader.reference([.rule]))
        deed.isGrave = true
        var parameters = JSONObject()
        while let (name, value) = try reader.pair() {
            let schema = catalogue.schema(method: "rule.revise", path: ["parameters", name])
            parameters[name] = ValueReader(schema: schema).value(.bare(value))
        }
        guard !parameters.isEmpty else { throw reader.wanted("PARAMETER=VALUE", "up=20%") }
        deed.parameters["parameters"] = .object(parameters)
        return deed
    }

    private func moved(_ word: DeedWord, _ method: String, _ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        var deed = one(word, method, try reader.reference([.product]))
        deed.parameters["quantity"] = .integer(
            try word == .adjust
                ? reader.units("quantity", signed: true, like: ("+N or -N", "-2")) : reader.units("quantity")
        )
        deed.parameters["reason"] = try reader.reason()
        return deed
    }

    private func sell(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        var deed = Deed(word: .sell, method: "order.place")
        var lines: [JSONValue] = []
        while true {
            let product = try reader.reference([.product], stops: ["to"])
            deed.slots.append(Deed.Slot(reference: product, line: lines.count))
            let schema = catalogue.schema(method: "order.place", path: ["lines", "0", "quantity"])
            lines.append(["quantity": .integer(try reader.multiple(line: lines.count, limits: schema?.limits ?? ""))])
            if reader.peek?.kind == .comma {
                reader.skip()
            } else {
                break
            }
        }
        guard reader.takes("to") else { throw reader.wanted("to USER", "to chloe") }
        deed.slots.append(slot(try reader.reference([.user]), "customerId"))
        deed.parameters["lines"] = .array(lines)
        return deed
    }

    private func halt(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        let isHalt = reader.deed == .halt
        var deed = Deed(word: reader.deed, method: isHalt ? "pricing.halt" : "pricing.resume")
        let usual = JSONValue.string("\(reader.deed) at the shell")
        if (isHalt && reader.peek == nil) || reader.takes("all") {
            // Alone it is a cry: everything stands still, after a yes.
            deed.isGrave = isHalt
            deed.parameters = ["scope": "all", "reason": try reader.reason() ?? usual]
            return deed
        }
        // Without quotes the reason of a halt begins at the second word.
        let most = isHalt && !reader.hasQuoted ? 1 : Int.max
        deed.slots = [slot(try reader.reference([.category, .product], most: most))]
        guard let reason = try reader.reason() ?? (isHalt ? JSONValue?.none : usual) else {
            throw reader.wanted("REASON", "\"supplier feed wrong\"")
        }
        deed.parameters["reason"] = reason
        return deed
    }

    private func undo(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        var deed = Deed(word: .undo, method: "price.rollback", parameters: ["reason": "undone at the shell"])
        if reader.takes("change") {
            deed.parameters["priceChangeIds"] = [
                .integer(try reader.units("priceChangeIds", like: ("N of a price change", "7")))
            ]
            return deed
        }
        if reader.takes("since") {
            deed.parameters["all"] = true
            deed.parameters["to"] = .string(try reader.time(.past, after: "since", "to"))
            return deed
        }
        guard reader.peek != nil else { throw reader.wanted("PRODUCT or since WHEN", "18 or since yesterday 22:00") }
        deed.slots = [slot(try reader.reference([.product], stops: ["since"]))]
        deed.takesLastChange = true
        if reader.takes("since") {
            deed.takesLastChange = false
            deed.parameters["to"] = .string(try reader.time(.past, after: "since", "to"))
        }
        return deed
    }

    private func watch(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        if reader.takes("orders") {
            var deed = Deed(word: .watch, method: "order.list", parameters: ["limit": 50])
            deed.topic = "order"
            return deed
        }
        for (word, topic) in [("price", "price"), ("prices", "price"), ("stock", "stock")] where reader.takes(word) {
            var deed = try find(&reader)
            (deed.word, deed.topic) = (.watch, topic)
            return deed
        }
        guard reader.peek != nil else { throw reader.wanted("price, stock, orders, PRODUCT or COMMAND", "why 18") }
        var deed = one(.watch, "product.get", try reader.reference([.product]))
        deed.topic = "price"
        return deed
    }

    private func tail(_ reader: inout DeedReader) throws(SyntaxError) -> Deed {
        var deed = Deed(word: .tail, method: "events.subscribe", parameters: ["topics": ["price", "stock"]])
        for (word, topic) in [("price", "price"), ("prices", "price"), ("stock", "stock"), ("orders", "order")]
        where reader.takes(word) {
            deed.parameters["topics"] = [.string(topic)]
            break
        }
        if reader.peek != nil { deed.slots = [slot(try reader.reference([.product]), "productIds")] }
        return deed
    }
}
