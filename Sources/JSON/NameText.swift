extension String {
    /// The text without the blanks and invisible characters around it; empty for a text of nothing else. At the end,
    /// characters that modify the one before them, such as a variation selector or a flag's tags, stay. The same as the
    /// database's `trim_name`.
    package var trimmedName: String {
        let scalars = unicodeScalars
        if let first = scalars.first, let last = scalars.last, first.isGraphic, last.isGraphic { return self }
        let head = scalars.drop { $0.isBlank || $0.belongsToOther }
        var end = head.endIndex
        while end > head.startIndex, head[head.index(before: end)].isBlank { end = head.index(before: end) }
        return String(head[..<end])
    }
}

extension Unicode.Scalar {
    /// A quick test that is true for what most names begin and end with.
    fileprivate var isGraphic: Bool {
        (0x21...0x7E).contains(value)
    }

    /// A space or an invisible character; not controls and bidirectional overrides, which are refused in a name.
    fileprivate var isBlank: Bool {
        switch value {
        case 0x2800, 0xFFF9...0xFFFB: true
        case 0x202A...0x202E, 0x2066...0x2069, 0xE0000...0xE0FFF: false
        default:
            switch properties.generalCategory {
            case .spaceSeparator, .lineSeparator, .paragraphSeparator: true
            default: properties.isDefaultIgnorableCodePoint && !belongsToOther
            }
        }
    }

    fileprivate var belongsToOther: Bool {
        switch value {
        case 0x180B...0x180D, 0x180F, 0xFE00...0xFE0F, 0xE0000...0xE0FFF: true
        default: false
        }
    }
}
