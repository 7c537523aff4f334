// What people who are not of the staff are given of a result: the members whose fields say so, and no others. A member that
// nobody thought of is left out.

extension ObjectShape {
    /// The shown members of an object; nil where none of its views fits it.
    package func shown(of object: JSONObject) -> JSONObject? {
        guard views.isEmpty else {
            for view in views {
                if let shown = view.shown(of: object) { return shown }
            }
            return nil
        }
        var shown = JSONObject()
        for (key, value) in object {
            guard let field = fields.first(where: { $0.isShown && $0.name == key }) else { continue }
            // What is not shown may be left out, and what must be there makes a view of another kind.
            guard let value = field.schema.shown(of: value) else {
                if field.isRequired { return nil }
                continue
            }
            shown[key] = value
        }
        let isWhole = fields.allSatisfy { !$0.isShown || !$0.isRequired || shown[$0.name] != nil }
        return isWhole ? shown : nil
    }
}

extension Schema {
    /// What is shown of a value; `.none` for nothing, which is not the null that a plain nil would be here.
    fileprivate func shown(of value: JSONValue) -> JSONValue? {
        switch (self, value) {
        case (.object(let shape), .object(let object)): return shape.shown(of: object).map { .object($0) }
        case (.list(let element, _), .array(let elements)):
            return .array(elements.compactMap { element.shown(of: $0) })
        case (.nullable, .null): return .some(.null)
        case (.nullable(let schema), _): return schema.shown(of: value)
        case (.choice(let choices), .string(let text)) where choices.contains(text): return value
        case (.object, _), (.list, _), (.choice, _): return .none
        default: return value
        }
    }
}
