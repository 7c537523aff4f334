package import JSON

/// The OpenRPC 1.x document, made from the method declarations.
package enum OpenRPCDocument {
    /// - Parameter name: the only method that is described; nil for all.
    package static func make(version: String, only name: String? = nil) -> JSONObject {
        var components: [String: JSONValue] = [:]
        let wanted = name.map { AllMethods.byName[$0].map { [$0] } ?? [] } ?? AllMethods.list
        let methods = wanted.map { JSONValue.object(describe($0, &components)) }
        _ = Schema.object(CallMeta.shape).jsonSchema(collecting: &components)
        let schemas = JSONObject(components.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        let codes = name == nil ? ErrorCode.all : wanted.flatMap(\.errors)
        let errors = JSONObject(codes.map { ($0.reason, JSONValue.object(describe($0))) })
        return [
            "openrpc": "1.2.6",
            "info": [
                "title": "pricingd", "version": .string(version),
                "description": "Stock and prices of a shop, over line-delimited JSON-RPC 2.0 on a Unix domain socket.",
            ],
            "methods": .array(methods),
            "components": ["schemas": .object(schemas), "errors": .object(errors)],
        ]
    }

    private static func describe(_ method: Method, _ components: inout [String: JSONValue]) -> JSONObject {
        var params = method.parameters.fields.map { JSONValue.object(parameter($0, &components)) }
        params.append([
            "name": .string(CallMeta.member), "required": false,
            "summary": "What a caller may say beside the method's own parameters.",
            "schema": ["$ref": "#/components/schemas/CallMeta"],
        ])
        let result = Schema.object(method.result).jsonSchema(collecting: &components)
        var object: JSONObject = [
            "name": .string(method.name), "summary": .string(method.summary), "paramStructure": "by-name",
            "params": .array(params),
            "result": ["name": .string(method.result.name ?? "result"), "schema": .object(result)],
            "errors": .array(method.errors.map { .object(describe($0)) }),
            "x-role": .string(method.role.rawValue), "x-audience": .string(method.audience.rawValue),
            "x-effect": .string(method.effectText), "x-long": .bool(method.isLong),
            "x-idempotent": .bool(method.effect != .session), "examples": [.object(example(method))],
        ]
        let completed = method.parameters.fields.filter { $0.completes != nil }
        if !completed.isEmpty {
            object["x-complete"] = .object(
                JSONObject(completed.map { ($0.name, $0.completes.map { .string($0) } ?? .null) })
            )
        }
        // Schemas that the object of all parameters fits, beside each parameter's own.
        if !method.parameters.substitutions.isEmpty { object["x-allOf"] = .array(method.parameters.substitutions) }
        let formats = TableColumns.formats(of: method.result)
        if !formats.isEmpty { object["x-format"] = .object(formats) }
        if method.standby != .never { object["x-standby"] = .string(method.standby.rawValue) }
        if let columns = method.tableColumns { object["x-table"] = .array(columns.map { .string($0) }) }
        return object
    }

    private static func example(_ method: Method) -> JSONObject {
        var pairing: JSONObject = [
            "name": .string(method.name),
            "params": .array(method.example.map { ["name": .string($0.key), "value": $0.value] }),
            "result": [
                "name": .string(method.result.name ?? "result"),
                "summary": "The shape of what comes back; values made up.",
                "value": Schema.object(method.result).sample,
            ],
        ]
        if let note = method.exampleNote { pairing["description"] = .string(note) }
        return pairing
    }

    private static func parameter(_ field: Field, _ components: inout [String: JSONValue]) -> JSONObject {
        var object: JSONObject = [
            "name": .string(field.name), "required": .bool(field.isRequired && field.substitutes.isEmpty),
            "description": .string(field.summary),
            "schema": .object(field.jsonSchema(collecting: &components)),
        ]
        if let completes = field.completes { object["x-complete"] = .string(completes) }
        return object
    }

    private static func describe(_ error: ErrorCode) -> JSONObject {
        [
            "code": .integer(Int64(error.code)), "message": .string(error.meaning),
            "data": ["reason": .string(error.reason), "retryable": .bool(error.isRetryable)],
        ]
    }
}

extension Method {
    /// The columns that a table of its items shows people, the most important first; nil when its result is no list.
    fileprivate var tableColumns: [String]? {
        guard let items = result.fields.first(where: { $0.name == "items" }),
            case .list(.object(let item), _) = items.schema
        else { return nil }
        return TableColumns.of(item)
    }
}
