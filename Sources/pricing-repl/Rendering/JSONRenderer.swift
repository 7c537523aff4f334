import JSON

/// JSON for programs (compact, rows a line) and for people (indented).
enum JSONRenderer {
    /// One line without spaces.
    static func compact(_ value: JSONValue) -> String { value.description }

    /// Two spaces a level.
    static func indented(_ value: JSONValue, level: Int = 0) -> String {
        let inner = String(repeating: "  ", count: level + 1)
        let outer = String(repeating: "  ", count: level)
        switch value {
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + indented($0, level: level + 1) }.joined(separator: ",\n")
                + "\n\(outer)]"
        case .object(let object) where !object.isEmpty:
            let members = object.map { inner + compact(.string($0.key)) + ": " + indented($0.value, level: level + 1) }
            return "{\n" + members.joined(separator: ",\n") + "\n\(outer)}"
        default: return compact(value)
        }
    }

    /// Each row of a list on its own line; any other result on one.
    static func lines(_ result: JSONObject) -> String {
        if case .array(let items)? = result["items"] { return items.map { compact($0) + "\n" }.joined() }
        guard case .array(let names)? = result["columns"], case .array(let rows)? = result["rows"] else {
            return compact(.object(result)) + "\n"
        }
        return rows.map { row in
            guard case .array(let values) = row else { return compact(row) + "\n" }
            var object = JSONObject()
            for (name, value) in zip(names, values) {
                var title = name
                if case .object(let column) = name, let inner = column["name"] { title = inner }
                object[Grid.Cell(title).text] = value
            }
            return compact(.object(object)) + "\n"
        }.joined()
    }
}
