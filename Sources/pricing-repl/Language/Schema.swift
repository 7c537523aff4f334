import JSON

/// The part of JSON Schema that helps to read and complete values.
struct Schema {
    private let root: JSONObject
    private let components: JSONObject

    /// How many references or unions are followed; a description of itself ends here.
    private static let depthMax = 16

    init(_ value: JSONValue?, components: JSONObject) {
        if case .object(let object)? = value { root = object } else { root = JSONObject() }
        self.components = components
    }

    /// The JSON types that a value may have; empty means any.
    var types: Set<String> {
        var result: Set<String> = []
        for object in alternatives {
            switch object["type"] {
            case .string(let name)?: result.insert(name)
            case .array(let names)?:
                for case .string(let name) in names { result.insert(name) }
            default:
                for value in choices(in: object) { result.insert(Self.type(of: value)) }
            }
        }
        return result
    }

    /// The values that a closed list allows, as they are typed; empty when the list is open.
    var values: [String] {
        let listed = alternatives.flatMap { choices(in: $0) }.filter { $0 != .null }
        if !listed.isEmpty { return listed.map { Grid.Cell($0).text } }
        return types == ["boolean"] ? ["true", "false"] : []
    }

    /// What elements of an array look like.
    var items: Schema? {
        alternatives.lazy.compactMap { $0["items"] }.first.map { Schema($0, components: components) }
    }

    /// The member called `name` of an object.
    func property(_ name: String) -> Schema? {
        members.first { $0.name == name }?.schema
    }

    /// The members of an object, in the order of the description.
    var members: [(name: String, schema: Schema)] {
        alternatives.flatMap { object -> [(name: String, schema: Schema)] in
            guard case .object(let properties)? = object["properties"] else { return [] }
            return properties.map { (name: $0.key, schema: Schema($0.value, components: components)) }
        }
    }

    /// The description for people; empty when there is none.
    var summary: String {
        for object in alternatives {
            if case .string(let text)? = object["description"] { return text }
        }
        return ""
    }

    /// Whether it is given and never shown.
    var isSecret: Bool { alternatives.contains { $0["writeOnly"] == true } }

    /// The least and the most: of a number, of a text's length, of a list's elements; empty when nothing is said.
    var limits: String {
        for object in alternatives {
            let pairs = [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")]
            for (least, most) in pairs {
                guard let low = object[least], let high = object[most] else { continue }
                let unit = least == "minLength" ? " characters" : least == "minItems" ? " elements" : ""
                return "\(Grid.Cell(low).text)…\(Grid.Cell(high).text)\(unit)"
            }
        }
        return ""
    }

    /// The type in few words: `integer`, `"a"|"b"`, `integer[]`, `decimal`.
    var shape: String {
        if !values.isEmpty { return values.joined(separator: "|") }
        let known = types.subtracting(["null"])
        if known == ["array"], let items { return items.shape + "[]" }
        for object in alternatives {
            if case .string(let format)? = object["format"] { return format }
        }
        return known.isEmpty ? "any" : known.sorted().joined(separator: "|")
    }

    private func choices(in object: JSONObject) -> [JSONValue] {
        if case .array(let values)? = object["enum"] { return values }
        return object["const"].map { [$0] } ?? []
    }

    /// This schema with references followed and unions laid out flat.
    private var alternatives: [JSONObject] { resolved(root, depth: 0) }

    private func resolved(_ object: JSONObject, depth: Int) -> [JSONObject] {
        guard depth < Self.depthMax else { return [] }
        if case .string(let reference)? = object["$ref"], let name = reference.split(separator: "/").last,
            case .object(let target)? = components[String(name)]
        {
            return resolved(target, depth: depth + 1)
        }
        var result = [object]
        for keyword in ["anyOf", "oneOf", "allOf"] {
            guard case .array(let parts)? = object[keyword] else { continue }
            for case .object(let part) in parts { result += resolved(part, depth: depth + 1) }
        }
        return result
    }

    private static func type(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .decimal: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
