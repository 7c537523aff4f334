/// Facts as people read them.
package enum Words {
    /// An amount of money, its thousands apart, without zeros beyond the hundredths; one that is not known is a dash.
    package static func money(_ amount: String?) -> String {
        guard var amount else { return "–" }
        if let point = amount.firstIndex(of: ".") {
            while amount.hasSuffix("0"), amount.distance(from: point, to: amount.endIndex) > 3 { amount.removeLast() }
        }
        return Decimals.grouped(amount)
    }

    /// A whole number, its thousands apart.
    package static func count(_ number: Int64?) -> String {
        number.map { Decimals.grouped(String($0)) } ?? "–"
    }

    /// The same with its sign, for what is added and taken away.
    package static func signed(_ number: Int64) -> String {
        (number > 0 ? "+" : number < 0 ? "−" : "") + Decimals.grouped(String(number.magnitude))
    }

    /// `1 order`, `2 orders`.
    package static func counted(_ number: Int64, _ one: String, _ many: String? = nil) -> String {
        "\(count(number)) \(number == 1 ? one : many ?? one + "s")"
    }

    /// `+4.2 %`: from one amount to another; nil where there is no from.
    package static func change(_ old: String?, _ new: String?) -> String? {
        guard let old = old.flatMap(Double.init), let new = new.flatMap(Double.init), old > 0 else { return nil }
        let percent = (new / old - 1) * 100
        return (percent > 0 ? "+" : percent < 0 ? "−" : "±") + Decimals.fixed(percent.magnitude, 1) + " %"
    }

    /// A time, in UTC, as an element that programs can read.
    package static func time(_ text: String?) -> HTML {
        guard let text else { return "–" }
        guard let moment = Moment(text) else { return "\(text)" }
        return "<time datetime=\"\(text)\" title=\"\(text)\">\(moment.day), \(moment.clock)</time>"
    }

    /// A time of the day, in UTC, that scripts count down to.
    package static func clock(_ text: String?) -> HTML {
        guard let text, let moment = Moment(text) else { return "–" }
        return "<time datetime=\"\(text)\" data-until=\"\(text)\">\(moment.clock) UTC</time>"
    }

    /// What made a price or stock move.
    package static func cause(_ kind: String) -> String {
        switch kind {
        case "sale": "a sale"
        case "cancel", "cancelled": "a cancelled order"
        case "return", "returned": "a return"
        case "restock": "a delivery"
        case "adjust": "a correction"
        case "initial": "the first stock"
        case "hold": "held by a quote"
        case "release": "let go by a quote"
        case "expire": "a quote that ran out"
        case "tick": "the clock"
        case "pin": "a manual price"
        case "unpin": "a manual price that ended"
        case "declaration": "a changed declaration"
        case "rule": "a rule"
        case "rollback": "a change taken back"
        case "resume": "automation that resumed"
        case "campaign", "campaign_start": "a campaign"
        case "campaign_end": "a campaign that ended"
        case "import": "an import"
        case "call": "a person"
        default: spaced(kind)
        }
    }

    /// A name of the protocol as words: `bindingGuard` and `daily_cap` are "binding guard" and "daily cap".
    package static func spaced(_ name: String) -> String {
        var words = ""
        for character in name {
            if character == "_" || character == "." {
                words.append(" ")
            } else if character.isUppercase, let last = words.last, last.isLowercase {
                words.append(" ")
                words.append(contentsOf: character.lowercased())
            } else {
                words.append(character)
            }
        }
        return words
    }

    /// The same of a thing that is named by its id.
    package static func thing(_ name: String) -> String {
        let words = spaced(name)
        return words.hasSuffix(" id") ? String(words.dropLast(3)) : words
    }

    /// The same with a capital at its begin, for labels.
    package static func label(_ name: String) -> String {
        let words = thing(name)
        guard let first = words.first, words != "sku" else { return words.uppercased() }
        return first.uppercased() + words.dropFirst()
    }
}
