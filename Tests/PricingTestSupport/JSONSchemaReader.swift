import Foundation
package import JSON

/// Reads JSON Schema (draft 07) as any other client would, so that the document is judged by what it says and not by the
/// validator that it was made beside. A keyword that it does not know is a violation: nothing is passed over in silence.
package struct JSONSchemaReader: Sendable {
    /// Where `$ref` points into.
    private let document: JSONValue

    /// - Parameter document: the text that the schemas stand in.
    package init(in document: JSONValue) {
        self.document = document
    }

    /// Where and why a value does not fit the document itself, read as a schema.
    package func violations(of value: JSONValue) -> [String] {
        violations(of: value, document, at: "")
    }

    /// Where (JSON Pointer) and why a value does not fit a schema; nothing when it fits.
    package func violations(of value: JSONValue, _ schema: JSONValue, at path: String = "") -> [String] {
        guard let rules = schema.object else { return schema == false ? ["\(path): nothing is allowed here"] : [] }
        if let reference = rules["$ref"]?.string {
            guard let target = find(reference) else { return ["\(path): \(reference) leads nowhere"] }
            return violations(of: value, target, at: path)
        }
        return rules.flatMap { keyword, rule in check(value, keyword, rule, rules, path) }
    }

    private func find(_ reference: String) -> JSONValue? {
        let steps = reference.split(separator: "/")
        guard steps.first == "#" else { return nil }
        return steps.dropFirst().reduce(document) { place, step in place?[String(step)] }
    }

    private func check(
        _ value: JSONValue,
        _ keyword: String,
        _ rule: JSONValue,
        _ rules: JSONObject,
        _ path: String
    ) -> [String] {
        func broken(_ isBroken: Bool) -> [String] {
            isBroken ? ["\(path): \(keyword) \(rule) is broken by \(value)"] : []
        }
        switch keyword {
        case "$schema", "$id", "$comment", "title", "description", "default", "examples", "definitions", "readOnly",
            "writeOnly", "format":
            return []
        case "type": return broken(!(rule.array ?? [rule]).contains { value.isOf(type: $0.string ?? "") })
        case "enum": return broken(!(rule.array ?? []).contains(value))
        case "const": return broken(rule != value)
        case "minimum": return broken(value.number < rule.number)
        case "maximum": return broken(value.number > rule.number)
        case "exclusiveMinimum": return broken(value.number <= rule.number)
        case "minLength", "maxLength", "minItems", "maxItems", "pattern", "uniqueItems":
            return broken(!value.keeps(keyword, rule))
        case "items":
            return (value.array ?? []).enumerated().flatMap { violations(of: $1, rule, at: "\(path)/\($0)") }
        case "required":
            let missing = (rule.array ?? []).compactMap(\.string).filter { name in
                value.object.map { $0[name] == nil } ?? false
            }
            return missing.map { "\(path)/\($0): is missing" }
        case "properties", "patternProperties", "additionalProperties":
            return (value.object ?? [:]).flatMap { name, member in
                checkMember(name, member, keyword, rule, rules, "\(path)/\(name)")
            }
        case "not": return broken(violations(of: value, rule, at: path).isEmpty)
        case "anyOf", "oneOf", "allOf": return checkChoices(value, keyword, rule.array ?? [], path)
        default: return ["\(path): the keyword \(keyword) is not understood"]
        }
    }

    private func checkMember(
        _ name: String,
        _ member: JSONValue,
        _ keyword: String,
        _ rule: JSONValue,
        _ rules: JSONObject,
        _ path: String
    ) -> [String] {
        let patterns = (rules["patternProperties"]?.object ?? [:]).filter { JSONValue.matches(name, $0.key) }
        switch keyword {
        case "properties": return rule[name].map { violations(of: member, $0, at: path) } ?? []
        case "patternProperties": return patterns.flatMap { violations(of: member, $0.value, at: path) }
        default:
            guard rules["properties"]?[name] == nil, patterns.isEmpty else { return [] }
            return violations(of: member, rule, at: path)
        }
    }

    private func checkChoices(_ value: JSONValue, _ keyword: String, _ choices: [JSONValue], _ path: String) -> [String]
    {
        let outcomes = choices.map { violations(of: value, $0, at: path) }
        if keyword == "allOf" { return outcomes.flatMap { $0 } }
        let fitting = outcomes.count(where: \.isEmpty)
        if fitting == 1 || (keyword == "anyOf" && fitting > 1) { return [] }
        if fitting > 1 { return ["\(path): fits \(fitting) choices of oneOf"] }
        // The choice that was meant is the one that comes nearest.
        return outcomes.min { $0.count < $1.count } ?? ["\(path): there is no choice"]
    }
}

extension JSONValue {
    fileprivate func isOf(type: String) -> Bool {
        switch self {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .decimal: type == "number"
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    /// Not a number when it is none, so that no comparison holds.
    fileprivate var number: Double {
        switch self {
        case .integer(let value): Double(value)
        case .decimal(let text): Double(text) ?? .nan
        default: .nan
        }
    }

    /// Whether a text or an array keeps a rule about its length or content; anything else does.
    fileprivate func keeps(_ keyword: String, _ rule: JSONValue) -> Bool {
        let limit = Int(rule.integer ?? 0)
        switch (keyword, self) {
        case ("minLength", .string(let text)): return text.unicodeScalars.count >= limit
        case ("maxLength", .string(let text)): return text.unicodeScalars.count <= limit
        case ("pattern", .string(let text)): return rule.string.map { JSONValue.matches(text, $0) } ?? false
        case ("minItems", .array(let elements)): return elements.count >= limit
        case ("maxItems", .array(let elements)): return elements.count <= limit
        case ("uniqueItems", .array(let elements)):
            return rule == false || !elements.indices.contains { elements[..<$0].contains(elements[$0]) }
        default: return true
        }
    }

    fileprivate static func matches(_ text: String, _ pattern: String) -> Bool {
        text.range(of: pattern, options: .regularExpression) != nil
    }
}
