/// The members of a JSON object in their order, each key once.
///
/// Keys are compared by their bytes, never by Unicode equivalence. Look-up is linear: requests are small.
package struct JSONObject: Sendable {
    private var members: [(key: String, value: JSONValue)]

    /// An object without members.
    package init() {
        members = []
    }

    /// The given members in order; of a repeated key the last value stays, in the first one's place.
    package init(_ members: some Sequence<(String, JSONValue)>) {
        self.members = []
        for (key, value) in members {
            self[key] = value
        }
    }

    /// Members whose keys the caller knows to be distinct: the parser checked them.
    init(distinct members: [(key: String, value: JSONValue)]) {
        self.members = members
    }

    /// How many members there are.
    package var count: Int { members.count }

    /// Whether there are no members.
    package var isEmpty: Bool { members.isEmpty }

    /// The keys in order.
    package var keys: [String] { members.map(\.key) }

    /// The member `key`; assigning keeps the place of an existing key, adds a new one at the end, and nil removes.
    package subscript(key: String) -> JSONValue? {
        get {
            for member in members where JSONObject.same(member.key, key) {
                return member.value
            }
            return nil
        }
        set {
            let place = members.firstIndex { JSONObject.same($0.key, key) }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append((key, value))
            case (nil, nil): break
            }
        }
    }

    /// The same object without the member `key`.
    package func removing(_ key: String) -> JSONObject {
        var copy = self
        copy[key] = nil
        return copy
    }

    /// Whether U+0000 stands in any key or string inside.
    package var containsNUL: Bool {
        members.contains { $0.key.utf8.contains(0) || $0.value.containsNUL }
    }

    /// Compact JSON text of this object.
    package func serialized() -> [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }

    /// Whether two keys are the same bytes; `==` would also join canonically equivalent ones.
    static func same(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        let isSame = unsafe left.utf8.withContiguousStorageIfAvailable { left in
            unsafe right.utf8.withContiguousStorageIfAvailable { right in unsafe left.elementsEqual(right) }
        }
        return (isSame ?? nil) ?? left.utf8.elementsEqual(right.utf8)
    }
}

extension JSONObject: Equatable {
    /// Same keys with equal values, in any order.
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        // The common case: the same order. Otherwise one index, so that large objects stay linear.
        if zip(left.members, right.members).allSatisfy({ same($0.key, $1.key) && $0.value == $1.value }) { return true }
        var index: [JSONKey: JSONValue] = [:]
        for member in right.members {
            index[JSONKey(text: member.key)] = member.value
        }
        return left.members.allSatisfy { index[JSONKey(text: $0.key)] == $0.value }
    }
}

extension JSONObject: Sequence {
    /// Walks the members in order.
    package func makeIterator() -> IndexingIterator<[(key: String, value: JSONValue)]> {
        members.makeIterator()
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }
}

/// A key compared by its bytes.
struct JSONKey: Hashable {
    let text: String

    static func == (left: JSONKey, right: JSONKey) -> Bool {
        JSONObject.same(left.text, right.text)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }
}
