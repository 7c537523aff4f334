import JSON
import PricingProtocol

/// The OpenAPI 3.1 document of `/api`, made from the declarations of the methods.
enum OpenAPIDocument {
    static func make() -> JSONObject {
        var components: [String: JSONValue] = [:]
        var paths: JSONObject = [:]
        for method in AllMethods.list where !APIDoors.connectionBound.contains(method.name) {
            var path: JSONObject = ["post": .object(post(method, &components))]
            if method.effect == .read { path["get"] = .object(get(method, &components)) }
            paths["/api/\(method.name)"] = .object(path)
        }
        components["Error"] = .object(error)
        let schemas = JSONObject(components.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "pricingd", "version": .string(Release.version),
                "description": "Stock and prices of a shop. Each method of the line protocol is a path.",
            ],
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": ["login": ["type": "http", "scheme": "bearer"]],
            ],
            "security": [[:], ["login": []]],
        ]
    }

    private static func post(_ method: Method, _ components: inout [String: JSONValue]) -> JSONObject {
        var schema = Schema.object(method.parameters).jsonSchema(collecting: &components)
        if let person = method.person, let required = schema["required"]?.array {
            // A customer leaves out whose it is.
            schema["required"] = .array(required.filter { $0.string != person })
        }
        var operation = operation(method, "post", &components)
        if method.effect == .write {
            operation["parameters"] = [
                [
                    "name": "Idempotency-Key", "in": "header",
                    "schema": ["type": "string", "minLength": 1, "maxLength": 200],
                ],
                ["name": "dryRun", "in": "query", "schema": ["type": "boolean"]],
            ]
        }
        operation["requestBody"] = [
            "required": .bool(method.parameters.alwaysRequired.contains { $0.name != method.person }),
            "content": ["application/json": ["schema": .object(schema), "example": .object(method.example)]],
        ]
        return operation
    }

    private static func get(_ method: Method, _ components: inout [String: JSONValue]) -> JSONObject {
        var operation = operation(method, "get", &components)
        operation["parameters"] = .array(
            method.parameters.fields.filter { !$0.isSecret }.map { field in
                [
                    "name": .string(field.name), "in": "query", "description": .string(field.summary),
                    "required": .bool(field.isRequired && field.substitutes.isEmpty && field.name != method.person),
                    "schema": .object(field.jsonSchema(collecting: &components)),
                ]
            }
        )
        return operation
    }

    private static func operation(
        _ method: Method,
        _ verb: String,
        _ components: inout [String: JSONValue]
    ) -> JSONObject {
        let result = answered(.object(Schema.object(method.result).jsonSchema(collecting: &components)))
        var responses: JSONObject = [
            "200": ["description": "Done.", "content": ["application/json": ["schema": result]]]
        ]
        let codes = Set((method.errors + ErrorCode.common).map { HTTPStatus.of($0.reason) }).filter { $0 != 499 }
        for code in codes.sorted() {
            let reasons = (method.errors + ErrorCode.common).filter { HTTPStatus.of($0.reason) == code }.map(\.reason)
            responses[String(code)] = [
                "description": .string(reasons.joined(separator: ", ")),
                "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]],
            ]
        }
        return [
            "operationId": .string(method.name + (verb == "get" ? ".get" : "")), "summary": .string(method.summary),
            "tags": [.string(String(method.name.prefix { $0 != "." }))], "responses": .object(responses),
        ]
    }

    /// A schema of what is answered: there a secret is told, and is not written alone.
    private static func answered(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .object(let members):
            return .object(JSONObject(members.filter { $0.key != "writeOnly" }.map { ($0.key, answered($0.value)) }))
        case .array(let items): return .array(items.map(answered))
        default: return schema
        }
    }

    private static let error: JSONObject = [
        "type": "object", "required": ["code", "message", "data"],
        "properties": [
            "code": ["type": "integer"], "message": ["type": "string"],
            "data": [
                "type": "object", "required": ["reason", "retryable"],
                "properties": ["reason": ["type": "string"], "retryable": ["type": "boolean"]],
            ],
        ],
    ]
}
