package import JSON

/// A parameter by which people name what a call takes by id: a SKU in place of a productId, an e-mail in place of a
/// customerId. Declared once, on the field of the id (`Field.or`); the database puts the id in its place before the
/// method's function runs (`resolve_names`).
package struct Naming: Sendable, Equatable {
    /// The list of objects that it stands in; nil for a parameter of the call itself.
    let list: String?
    /// The name, such as `sku`.
    let member: String
    /// The id whose place it takes, such as `productId`.
    let id: String

    /// Those among the parameters, and among the members of the lists that they hold.
    static func all(in shape: ObjectShape, list: String? = nil) -> [Naming] {
        shape.fields.flatMap { field -> [Naming] in
            if let id = field.standsFor { return [Naming(list: list, member: field.name, id: id)] }
            guard list == nil, case .list(.object(let row), _) = field.schema else { return [] }
            return all(in: row, list: field.name)
        }
    }

    /// What a name that nothing has is refused with.
    static func errors(_ namings: [Naming]) -> [ErrorCode] {
        let byID = [
            "productId": ErrorCode.productNotFound, "productIds": .productNotFound, "customerId": .userNotFound,
        ]
        return namings.compactMap { byID[$0.id] }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    fileprivate func isGiven(in object: JSONObject) -> Bool {
        object[member] != nil && object[id] == nil
    }
}

extension Method {
    /// Whether names stand in these parameters where its function takes ids.
    package func hasNames(_ params: JSONObject) -> Bool {
        namings.contains { naming in
            guard let list = naming.list else { return naming.isGiven(in: params) }
            return params[list]?.array?.contains { $0.object.map(naming.isGiven(in:)) ?? false } ?? false
        }
    }
}
