import JSON
import PricingProtocol
import Testing

/// Names in the place of ids, as the declarations have them.
struct NamingTests {
    @Test func `wherever an id of a product or a customer is taken, a name is taken in its place`() {
        let names = ["productId": "sku", "productIds": "skus", "customerId": "customerEmail"]
        var seen: Set<String> = []
        for method in AllMethods.list {
            for shape in [method.parameters] + Self.rows(method.parameters) {
                for field in shape.fields {
                    guard let name = names[field.name] else { continue }
                    #expect(shape.fields.contains { $0.name == name && $0.standsFor == field.name }, "\(method.name)")
                    #expect(
                        method.errors.contains(.productNotFound) || method.errors.contains(.userNotFound)
                            || method.name == "price.get",
                        "\(method.name) does not say what a name of nothing gives"
                    )
                    seen.insert(field.name)
                }
            }
        }
        #expect(seen == Set(names.keys))
    }

    @Test func `wherever a reply has a product's id it has its SKU`() {
        for method in AllMethods.list {
            for shape in Self.all(.object(method.result)) where shape.fields.contains(where: { $0.name == "productId" })
            {
                #expect(shape.fields.contains { $0.name == "sku" }, "\(method.name) \(shape.name ?? "")")
            }
        }
    }

    @Test(arguments: [
        ("product.get", #"{"sku": "A-1"}"#, ""), ("product.get", #"{"sku": "a", "productId": 1}"#, "/sku oneOf"),
        ("product.get", "{}", "/productId required"), ("product.get", #"{"sku": " "}"#, "/sku length"),
        ("product.update", #"{"productId": 1, "sku": "A"}"#, ""), ("product.update", #"{"sku": "A"}"#, ""),
        ("product.update", #"{"sku": null}"#, "/productId required"),
        ("product.update", #"{"productId": 1, "sku": null}"#, ""),
        ("price.get", #"{"skus": ["a", "b"]}"#, ""), ("price.get", "{}", "/productIds required"),
        ("price.get", #"{"skus": ["a"], "productIds": [1]}"#, "/skus oneOf"),
        ("events.list", #"{"skus": ["a"], "productIds": [1]}"#, "/skus oneOf"), ("events.list", "{}", ""),
        ("order.list", #"{"customerEmail": "a@b.c"}"#, ""),
        ("order.list", #"{"customerEmail": "a@b.c", "customerId": 1}"#, "/customerEmail oneOf"),
        ("order.place", #"{"customerEmail": "a@b.c", "lines": [{"sku": "A", "quantity": 1}]}"#, ""),
        (
            "order.place", #"{"customerId": 1, "lines": [{"sku": "A", "quantity": 1}, {"quantity": 1}]}"#,
            "/lines/1/productId required"
        ),
        (
            "order.place", #"{"customerId": 1, "lines": [{"sku": "A", "productId": 1, "quantity": 1}]}"#,
            "/lines/0/sku oneOf"
        ),
    ])
    func `one of the two`(method: String, params: String, violation: String) throws {
        let shape = try #require(AllMethods.byName[method]?.parameters)
        let found = violations(try object(params), shape)
        #expect(found.map { "\($0.path) \($0.rule)" }.joined(separator: ", ") == violation)
    }

    @Test func `whether names stand in parameters`() throws {
        func hasNames(_ method: String, _ params: String) throws -> Bool {
            try #require(AllMethods.byName[method]).hasNames(object(params))
        }
        #expect(try hasNames("product.get", #"{"sku": "a"}"#))
        #expect(try !hasNames("product.get", #"{"productId": 1}"#))
        #expect(try !hasNames("product.create", #"{"sku": "a"}"#), "a value of its own")
        #expect(try !hasNames("product.update", #"{"sku": "a", "productId": 1}"#), "the new SKU")
        #expect(try hasNames("order.place", #"{"lines": [{"productId": 1}, {"sku": "a"}]}"#))
        #expect(try !hasNames("order.place", #"{"lines": [{"productId": 1}]}"#))
        #expect(try hasNames("order.place", #"{"customerEmail": "a@b.c", "lines": []}"#))
    }

    private static func rows(_ shape: ObjectShape) -> [ObjectShape] {
        shape.fields.compactMap { if case .list(.object(let row), _) = $0.schema { row } else { nil } }
    }

    /// Every shape inside a schema.
    private static func all(_ schema: Schema) -> [ObjectShape] {
        switch schema {
        case .object(let shape): [shape] + shape.fields.flatMap { all($0.schema) }
        case .list(let element, _), .nullable(let element): all(element)
        default: []
        }
    }
}
