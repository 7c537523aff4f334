import JSON
import JSONRPC
import PricingProtocol

/// What is wrong with a parameter and what would be allowed instead.
enum ViolationText {
    /// Where the value of `path` stands, or what is nearest around it.
    static func place(of path: String, in places: [String: Range<Int>]) -> Range<Int>? {
        var path = path
        while !path.isEmpty {
            if let place = places[path] { return place }
            path = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
        }
        return nil
    }

    /// What a refusal without violations is about: each value that it names, or what the shop cannot do with it.
    static func paths(of error: RPCError, in parameters: JSONObject) -> [String] {
        let named = leaves(of: .object(parameters), at: "").filter { leaf in
            error.data.contains { name, value in
                // An id has another name where it plays a part: customerId is a userId.
                value == leaf.value
                    && (leaf.path.hasSuffix("/" + name) || name.hasSuffix("Id") && leaf.path.contains("Id"))
            }
        }.map(\.path)
        guard let sibling = ["OUTSIDE_LIMITS": "/price", "INSUFFICIENT_STOCK": "/quantity"][error.reason] else {
            return named
        }
        let around = named.compactMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) + sibling } }
        return around.isEmpty ? [sibling] : around
    }

    /// The single values, by their JSON Pointers.
    private static func leaves(of value: JSONValue, at path: String) -> [(path: String, value: JSONValue)] {
        switch value {
        case .object(let object): object.flatMap { leaves(of: $0.value, at: "\(path)/\($0.key)") }
        case .array(let elements): elements.enumerated().flatMap { leaves(of: $0.element, at: "\(path)/\($0.offset)") }
        default: [(path, value)]
        }
    }

    /// `did you mean limit?`, `allowed: title, price`; nil when the message says all.
    static func advice(_ violation: JSONObject, schema: Schema?) -> String? {
        let names = (violation["expected"]?.array ?? []).compactMap(\.string)
        if !names.isEmpty {
            let isMember = violation["rule"]?.string == "unknown"
            let last = violation["path"]?.string?.split(separator: "/").last.map(String.init)
            let name = (isMember ? last : violation["got"]?.string) ?? ""
            let near = NearNames.of(name, among: names, within: max(1, name.utf8.count / 3))
            if !near.isEmpty { return "did you mean " + near.joined(separator: " or ") + "?" }
            return (isMember ? "there are: " : "allowed: ") + names.joined(separator: ", ")
        }
        guard let schema, violation["rule"]?.string != "required" else { return nil }
        return schema.limits.isEmpty ? nil : "allowed: \(schema.limits)"
    }
}
