import JSON
import JSONRPC
import PricingProtocol

/// What people type, as the protocol's values.
enum Typed {
    /// The parameters of a method from a form or a query. What is left empty is left out; of a field that had a value and may be
    /// null (named by `had` in the form) it is null. What does not fit is sent as text: the daemon says what is wrong with it.
    static func params(_ method: Method, _ fields: Fields) -> JSONObject {
        let had = Set(fields.all("had"))
        var params: JSONObject = [:]
        for field in method.parameters.fields {
            let texts = fields.pairs.filter { $0.name == field.name }.map(\.value)
            guard let first = texts.first else { continue }
            let text = field.isSecret ? first : first.trimmed
            if text.isEmpty {
                if had.contains(field.name), case .nullable = field.schema { params[field.name] = .null }
                if had.contains(field.name), case .text = field.schema { params[field.name] = "" }
                continue
            }
            params[field.name] = texts.count > 1 ? many(texts, field.schema) : value(text, field.schema)
        }
        return params
    }

    private static func many(_ texts: [String], _ schema: Schema) -> JSONValue {
        guard case .list(let element, _) = schema else { return value(texts.last?.trimmed ?? "", schema) }
        return .array(texts.map(\.trimmed).filter { !$0.isEmpty }.map { value($0, element) })
    }

    /// One value; what does not fit stays text.
    static func value(_ text: String, _ schema: Schema) -> JSONValue {
        switch schema {
        case .boolean: return text == "true" || text == "on" ? true : text == "false" ? false : .string(text)
        case .integer: return Int64(text).map { .integer($0) } ?? .string(text)
        case .number: return number(text) ?? .string(text)
        case .time: return .string(time(text))
        case .list(.object, _), .object, .any, .list(.any, _): return json(text) ?? .string(text)
        case .list(let element, _):
            if let list = json(text), list.array != nil { return list }
            return .array(text.split(separator: ",").map { value(String($0).trimmed, element) })
        case .nullable(let schema): return value(text, schema)
        case .money, .sum, .text, .name, .bytes, .choice: return .string(text)
        }
    }

    private static func number(_ text: String) -> JSONValue? {
        guard let value = json(text) else { return nil }
        switch value {
        case .integer, .decimal: return value
        default: return nil
        }
    }

    private static func json(_ text: String) -> JSONValue? { try? JSONParser.parse(Array(text.utf8).span) }

    /// `2026-11-27`, `2026-11-27T14:03` and `2026-11-27 14:03` are UTC.
    private static func time(_ text: String) -> String {
        let text = text.replacing(" ", with: "T")
        return switch text.utf8.count {
        case 10: text + "T00:00:00.000Z"
        case 16: text + ":00.000Z"
        default: text
        }
    }

    /// What an error says about each parameter.
    static func problems(_ error: RPCError) -> [String: String] {
        var problems: [String: String] = [:]
        for violation in error.data["violations"]?.array ?? [] {
            guard let path = violation["path"]?.string, let message = violation["message"]?.string else { continue }
            let name = path.split(separator: "/").first.map(String.init) ?? ""
            problems[name] = problems[name] ?? message + bound(violation)
        }
        return problems
    }

    /// The least or the most that would do, where that was passed.
    private static func bound(_ violation: JSONValue) -> String {
        guard let expected = violation["expected"] else { return "" }
        let text = expected.string ?? expected.description
        return switch violation["rule"]?.string {
        case "minimum": ": at least \(text)"
        case "maximum": ": at most \(text)"
        default: ""
        }
    }
}
