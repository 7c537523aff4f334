import JSON

@testable import pricing_repl

/// A small server's description of itself.
enum ReplSamples {
    static let document: JSONValue = [
        "openrpc": "1.3.2",
        "components": [
            "schemas": [
                "Money": ["type": "string", "format": "decimal"],
                "Line": [
                    "type": "object",
                    "properties": [
                        "productId": ["type": "integer"], "quantity": ["type": "integer"],
                        "maxUnitPrice": ["$ref": "#/components/schemas/Money"],
                    ],
                ],
            ]
        ],
        "methods": [
            [
                "name": "product.get", "summary": "One product.", "x-role": "viewer",
                "params": [parameter("productId", ["type": "integer"], isRequired: true)],
            ],
            [
                "name": "product.list", "summary": "Products.",
                "params": [
                    parameter("search", ["type": "string"]), parameter("active", ["type": "boolean"]),
                    parameter("sort", ["enum": ["title", "price"]]),
                    parameter("minPrice", ["$ref": "#/components/schemas/Money"]),
                ],
            ],
            [
                "name": "price.get", "summary": "Prices.",
                "params": [
                    parameter("productIds", ["type": "array", "items": ["type": "integer"]], isRequired: true)
                ],
            ],
            [
                "name": "order.place", "summary": "Places an order.", "x-role": "operator",
                "params": [
                    parameter("customerId", ["type": "integer"], isRequired: true),
                    parameter(
                        "lines",
                        ["type": "array", "items": ["$ref": "#/components/schemas/Line"]],
                        isRequired: true
                    ),
                    parameter("shippingAddress", ["anyOf": [["type": "string"], ["type": "null"]]]),
                ],
            ],
            ["name": "server.complete", "summary": "Values.", "params": []],
            ["name": "slow.call", "summary": "Answers when it is cancelled.", "params": []],
        ],
    ]

    static var catalogue: MethodCatalogue { MethodCatalogue(document: document.object ?? [:]) }

    private static func parameter(_ name: String, _ schema: JSONValue, isRequired: Bool = false) -> JSONValue {
        ["name": .string(name), "required": .bool(isRequired), "schema": schema]
    }
}
