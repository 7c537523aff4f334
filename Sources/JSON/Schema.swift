/// What a value may be: read by the validator, written into the OpenRPC document, and used by clients to type input.
package indirect enum Schema: Sendable, Equatable {
    /// Any JSON value.
    case any
    case boolean
    /// A whole number within the range.
    case integer(ClosedRange<Int64>)
    /// Any exact number within the range, a fraction or share.
    case number(ClosedRange<Double>)
    /// An amount of money: a string of digits with at most two decimals, at least so many hundredths.
    case money(minimumHundredths: Int64)
    /// A sum of amounts of money, of any number of digits.
    case sum
    /// Free text of so many code points; U+0000 is refused.
    case text(ClosedRange<Int>)
    /// A name on one line: free text without control or bidirectional override characters. It has so many code points
    /// once the blanks and invisible characters around it are off.
    case name(ClosedRange<Int>)
    /// Free text of so many bytes of UTF-8 in its composed form. Only plain ASCII is counted here; other text is
    /// composed, and counted, where it is stored.
    case bytes(ClosedRange<Int>)
    /// RFC 3339 with an offset.
    case time
    case choice([String])
    case list(Schema, ClosedRange<Int>)
    case object(ObjectShape)
    /// The schema's values, and null.
    case nullable(Schema)
}

/// One member of an object, or one parameter of a method.
package struct Field: Sendable, Equatable {
    package let name: String
    package private(set) var schema: Schema
    package private(set) var isRequired: Bool
    /// Meaning, unit and default, in one sentence.
    package let summary: String
    /// What `server.complete` lists for it, such as `product`.
    package let completes: String?
    /// Whether its value is secret: neither given back nor kept in a record of the conversation.
    package private(set) var isSecret = false
    /// Whether people who are not of the staff are given it. Of a result they get no member that does not say so.
    package private(set) var isShown = false
    /// The field that may be given in this one's place; none or one.
    package private(set) var substitutes: [Field] = []
    /// Where this field is a substitute: the name of the field whose place it takes.
    package private(set) var standsFor: String?
    /// Whether a substitute may be given beside the field that it stands for, where it then says something of its own.
    package private(set) var mayAccompany = false

    package init(
        _ name: String,
        _ schema: Schema,
        _ summary: String,
        isRequired: Bool = true,
        completes: String? = nil
    ) {
        self.name = name
        self.schema = schema
        self.summary = summary
        self.isRequired = isRequired
        self.completes = completes
    }

    /// The same field, not required.
    package var optional: Field { changed { $0.isRequired = false } }

    /// The same field, null allowed.
    package var nullable: Field { changed { $0.schema = .nullable($0.schema) } }

    /// The same field, its value secret.
    package var secret: Field { changed { $0.isSecret = true } }

    /// The same field, given to people who are not of the staff too.
    package var shown: Field { changed { $0.isShown = true } }

    /// The same field, in whose place parameters may have another one: a closed shape lists both.
    package func or(_ substitute: Field, mayAccompany: Bool = false) -> Field {
        let standIn = substitute.changed {
            $0.isRequired = false
            $0.standsFor = name
            $0.mayAccompany = mayAccompany
        }
        return changed { $0.substitutes = [standIn] }
    }

    private func changed(_ change: (inout Field) -> Void) -> Field {
        var copy = self
        change(&copy)
        return copy
    }

    /// The JSON Schema of its values.
    package func jsonSchema(collecting components: inout [String: JSONValue]) -> JSONObject {
        var object = schema.jsonSchema(collecting: &components)
        if isSecret { object["writeOnly"] = true }
        return object
    }
}

/// The members of an object. A named shape stands once in the document's components.
package struct ObjectShape: Sendable, Equatable {
    package let name: String?
    package let fields: [Field]
    /// Whether members that are not listed are allowed: yes in results, which may grow, never in parameters.
    package let isOpen: Bool
    /// Of an object whose members' meaning depends on its kind: what is shown of each kind. Empty where the fields say it.
    package let views: [ObjectShape]

    /// - Parameter views: told apart by their choices and by the members that they require.
    package init(_ name: String?, isOpen: Bool = false, views: [ObjectShape] = [], _ fields: [Field]) {
        self.name = name
        self.fields = isOpen ? fields : fields.flatMap { [$0] + $0.substitutes }
        self.isOpen = isOpen
        self.views = views
    }

    /// The fields that must be given, whatever else is: of a result that is shown in part, those that are shown.
    package var alwaysRequired: [Field] {
        let isPartial = fields.contains(where: \.isShown)
        return fields.filter { field in
            field.isRequired && (isOpen || field.substitutes.isEmpty) && (!isPartial || field.isShown)
                && views.allSatisfy { $0.alwaysRequired.contains { $0.name == field.name } }
        }
    }

    /// The JSON Schemas that say which fields take another's place, for the object as a whole.
    package var substitutions: [JSONValue] {
        fields.compactMap { field in
            guard let principal = fields.first(where: { $0.name == field.standsFor }) else { return nil }
            let names = [principal.name, field.name]
            let each: [JSONValue] = names.map { ["required": [.string($0)]] }
            switch (principal.isRequired, field.mayAccompany) {
            case (true, false): return ["oneOf": .array(each)]
            case (true, true): return ["anyOf": .array(each)]
            case (false, false): return ["not": ["required": .array(names.map { .string($0) })]]
            case (false, true): return nil
            }
        }
    }

    /// A shape without a name.
    package init(isOpen: Bool = false, _ fields: [Field]) {
        self.init(nil, isOpen: isOpen, fields)
    }
}

extension Schema {
    /// Whether its values are names, or null.
    package var isName: Bool {
        switch self {
        case .name: true
        case .nullable(let schema): schema.isName
        default: false
        }
    }

    /// The JSON Schema of this; named shapes become references and are collected.
    package func jsonSchema(collecting components: inout [String: JSONValue]) -> JSONObject {
        switch self {
        case .any: return [:]
        case .boolean: return ["type": "boolean"]
        case .integer(let range):
            return ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        case .number(let range):
            return [
                "type": "number", "minimum": .decimal("\(range.lowerBound)"),
                "maximum": .decimal("\(range.upperBound)"),
            ]
        case .money:
            return ["type": "string", "format": "decimal", "pattern": "^-?[0-9]{1,12}(\\.[0-9]{1,2})?$"]
        case .sum:
            return ["type": "string", "format": "decimal", "pattern": "^-?[0-9]+(\\.[0-9]{1,2})?$"]
        case .text(let range), .name(let range):
            return [
                "type": "string", "minLength": .integer(Int64(range.lowerBound)),
                "maxLength": .integer(Int64(range.upperBound)),
            ]
        case .bytes(let range):
            // Four bytes may be one character; two bytes may be composed of three.
            return [
                "type": "string", "minLength": .integer(Int64((range.lowerBound + 3) / 4)),
                "maxLength": .integer(Int64(range.upperBound) * 3 / 2),
            ]
        case .time: return ["type": "string", "format": "date-time"]
        case .choice(let values): return ["type": "string", "enum": .array(values.map { .string($0) })]
        case .list(let element, let range):
            return [
                "type": "array", "items": .object(element.jsonSchema(collecting: &components)),
                "minItems": .integer(Int64(range.lowerBound)), "maxItems": .integer(Int64(range.upperBound)),
            ]
        case .nullable(let schema):
            return ["anyOf": [.object(schema.jsonSchema(collecting: &components)), ["type": "null"]]]
        case .object(let shape):
            guard let name = shape.name else { return shape.jsonSchema(collecting: &components) }
            if components[name] == nil {
                components[name] = .null
                components[name] = .object(shape.jsonSchema(collecting: &components))
            }
            return ["$ref": .string("#/components/schemas/\(name)")]
        }
    }
}

extension ObjectShape {
    fileprivate func jsonSchema(collecting components: inout [String: JSONValue]) -> JSONObject {
        var properties = JSONObject([])
        for field in fields {
            var schema = field.jsonSchema(collecting: &components)
            if schema["$ref"] == nil { schema["description"] = .string(field.summary) }
            properties[field.name] = .object(schema)
        }
        var object: JSONObject = [
            "type": "object", "properties": .object(properties),
            "required": .array(alwaysRequired.map { .string($0.name) }),
            "additionalProperties": .bool(isOpen),
        ]
        if !substitutions.isEmpty { object["allOf"] = .array(substitutions) }
        return object
    }
}
