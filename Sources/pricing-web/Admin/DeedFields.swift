import JSON
import Markup
import PricingProtocol

/// The fields of a method's form, made from its declaration.
struct DeedFields: Sendable {
    let site: Site
    let visit: Visit

    /// - Parameters:
    ///   - given: what stands in them.
    ///   - problems: what the daemon said of each.
    func fields(_ method: Method, _ given: Fields, _ problems: [String: String]) async throws -> [FormField] {
        var fields: [FormField] = []
        // What names the thing stands above as a fact, once it is given.
        let subjects: Set = [
            "productId", "orderId", "ruleId", "userId", "supplierId", "categoryId", "campaignId", "proposalId",
            "quoteId",
        ]
        for field in method.parameters.fields where field.standsFor == nil {
            let value = given[field.name] ?? ""
            // What nobody types: it comes with the link that led here, or is left out.
            if ["version", "expectationId"].contains(field.name), !field.isRequired {
                if !value.isEmpty { fields.append(.hidden(field.name, value)) }
                continue
            }
            let kind = try await kind(field, method, value)
            if field.name == method.parameters.fields.first?.name, subjects.contains(field.name), !value.isEmpty {
                fields.append(.hidden(field.name, value))
                continue
            }
            fields.append(
                FormField(
                    field.name,
                    DeedFields.label(field),
                    kind,
                    value: value,
                    hint: DeedFields.hint(field, kind),
                    required: field.isRequired,
                    problem: problems[field.name]
                )
            )
            if case .nullable = field.schema, !value.isEmpty { fields.append(.hidden("had", field.name)) }
        }
        // A SKU beside the id is the product's own to change.
        if method.name == "product.update" || method.name == "product.create" {
            let sku = FormField(
                "sku",
                "SKU",
                value: given["sku"] ?? "",
                hint: "The shop's own number of it.",
                problem: problems["sku"]
            )
            if !fields.contains(where: { $0.name == "sku" }) { fields.append(sku) }
        }
        return fields
    }

    /// What a field is called where its name in the protocol is no word of the trade.
    static func label(_ field: Field) -> String {
        let name: String? =
            switch field.name {
            case "email": "E-mail"
            case "contactEmail": "E-mail of whom to ask"
            case "eta": "Due"
            case "refRate": "Sold a day at base"
            case "productIds": "Products"
            case "all": "All products"
            case "startsAt": "From"
            case "endsAt": "To"
            default: nil
            }
        return (name ?? Words.label(field.name)) + (isTime(field.schema) ? " (UTC)" : "")
    }

    private static func isTime(_ schema: Schema) -> Bool {
        switch schema {
        case .time: true
        case .nullable(let schema): isTime(schema)
        default: false
        }
    }

    /// A menu says what it is by what it offers; what must be typed in a certain way says how.
    private static func hint(_ field: Field, _ kind: FormField.Kind) -> String? {
        guard let thing = field.completes, menus.contains(thing) else {
            if isTime(field.schema) { return "\(field.summary) Such as 2026-12-24 18:00." }
            if case .object = field.schema { return "\(field.summary) As JSON, such as {\"up\": 0.2}." }
            if case .list(.object, _) = field.schema {
                return "\(field.summary) As JSON, such as [{\"productId\": 1, \"price\": \"9.90\"}]."
            }
            if case .list(.integer, _) = field.schema { return "\(field.summary) Their numbers, with commas between." }
            return field.summary
        }
        guard case .choice(let choices) = kind, choices.allSatisfy({ $0.value.isEmpty }) else { return nil }
        return "There is no \(thing) yet" + (field.isRequired ? ": make one first." : ".")
    }

    /// What there is few enough of to choose from.
    private static let menus: Set = ["category", "supplier", "rule"]

    private func kind(_ field: Field, _ method: Method, _ value: String) async throws -> FormField.Kind {
        if let completes = field.completes, DeedFields.menus.contains(completes) {
            return .choice(try await choices(field, method, value))
        }
        if field.isSecret { return .password }
        return DeedFields.kind(field.schema, isRequired: field.isRequired)
    }

    private static func kind(_ schema: Schema, isRequired: Bool) -> FormField.Kind {
        switch schema {
        case .boolean:
            return isRequired
                ? .choice([.init("true", "Yes"), .init("false", "No")])
                : .choice([.init("", "–"), .init("true", "Yes"), .init("false", "No")])
        case .integer: return .integer
        case .number, .money, .sum: return .decimal
        case .choice(let values):
            let choices = values.map { FormField.Choice($0, Words.label($0)) }
            return .choice(isRequired ? choices : [.init("", "–")] + choices)
        case .text(let range) where range.upperBound > 500: return .area
        case .list(.object, _), .list(.any, _), .object, .any: return .area
        case .nullable(let schema): return kind(schema, isRequired: isRequired)
        case .text, .name, .bytes, .time, .list: return .text
        }
    }

    private func choices(_ field: Field, _ method: Method, _ value: String) async throws -> [FormField.Choice] {
        let reply = try await site.call(
            visit,
            "server.complete",
            ["method": .string(method.name), "param": .string(field.name), "limit": 100]
        )
        let found = (reply["values"]?.array ?? []).compactMap { row -> FormField.Choice? in
            guard let value = row["value"] else { return nil }
            return FormField.Choice(value.string ?? value.description, row["label"]?.string ?? value.description)
        }
        let known = found.contains { $0.value == value } || value.isEmpty ? [] : [FormField.Choice(value, value)]
        return (field.isRequired && !value.isEmpty ? [] : [.init("", "–")]) + known + found
    }
}
