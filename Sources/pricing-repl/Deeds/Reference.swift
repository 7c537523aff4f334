/// What a person names: `18`, `#18`, `yoga mat`, `user@host`, `order 3019`, `rule bands/2`, `cat kitchen`, `%2`, `.`.
struct Reference: Equatable {
    enum Kind: String, CaseIterable {
        case product
        case user
        case order
        case rule
        case category

        /// The kind that a word before a name says.
        init?(word: String) {
            switch word {
            case "product": self = .product
            case "user", "to": self = .user
            case "order": self = .order
            case "rule": self = .rule
            case "cat", "category", "in": self = .category
            default: return nil
            }
        }

        /// The word before a name that says the kind.
        var word: String { self == .category ? "cat" : rawValue }

        /// What a person may write.
        var example: String {
            switch self {
            case .product: "18 or yoga mat"
            case .user: "chloe or chloe.evans@mail.example"
            case .order: "order 7"
            case .rule: "bands"
            case .category: "kitchen"
            }
        }

        /// The parameter that takes its id.
        var parameter: String { rawValue + "Id" }

        /// A method with that parameter: it gives one, or what belongs to it.
        var method: String { self == .category ? "product.list" : rawValue + ".get" }
    }

    enum What: Equatable {
        case number(Int64)
        /// A row of the last table, from 1.
        case row(Int)
        /// The last thing that was named.
        case last
        case text(String)
    }

    var what: What
    /// What it may be, the likeliest first.
    var kinds: [Kind]
    /// Where it stands, in Unicode scalars.
    var range: Range<Int>

    /// What a bare number means: products are what people know by number.
    var numberKind: Kind { kinds.contains(.product) ? .product : kinds.first ?? .product }

    /// What a word says of itself; nil for one that is a text like any other.
    static func plain(_ word: String) -> What? {
        if word == "." { return .last }
        if word.hasPrefix("%"), let row = Int(word.dropFirst()), row > 0 { return .row(row) }
        let digits = (word.hasPrefix("#") ? word.dropFirst() : word[...]).prefix { $0 != "·" }
        guard let number = Int64(digits), number > 0, digits.allSatisfy(\.isNumber) else { return nil }
        return .number(number)
    }
}

/// A thing that was found.
struct Named: Equatable {
    var kind: Reference.Kind
    var id: Int64
    /// Empty where only its number was given.
    var label = ""
    var detail = ""

    /// `18 Yoga mat`.
    var text: String {
        let name = DisplayText.safe(label)
        return name.isEmpty || kind == .order ? "\(kind.rawValue) \(id)" : "\(id) \(name)"
    }
}
