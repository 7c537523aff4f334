/// Why a text is not acceptable JSON, and at which byte.
package struct JSONSyntaxError: Error, Sendable, Equatable {
    /// What is wrong.
    package enum Kind: Sendable, Equatable {
        /// The grammar of RFC 8259 is broken.
        case syntax
        /// The bytes are not UTF-8.
        case invalidUTF8
        /// A `\u` escape names half of a surrogate pair.
        case loneSurrogate
        /// An object has this key twice.
        case duplicateKey(String)
        /// Arrays and objects stand deeper in each other than `limit`.
        case tooDeep(limit: Int)
    }

    /// What is wrong.
    package let kind: Kind
    /// Offset of the first offending byte, counted from 0.
    package let byteOffset: Int

    package init(kind: Kind, byteOffset: Int) {
        self.kind = kind
        self.byteOffset = byteOffset
    }
}
