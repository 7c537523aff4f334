import JSON
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

    /// `did you mean limit?`, `allowed: title, price`; nil when the message says all.
    static func advice(_ violation: JSONObject, schema: Schema?) -> String? {
        let names = (violation["expected"]?.array ?? []).compactMap(\.string)
        if violation["rule"]?.string == "unknown" {
            let name = violation["path"]?.string?.split(separator: "/").last.map(String.init) ?? ""
            let near = NearNames.of(name, among: names, within: max(1, name.utf8.count / 3))
            if !near.isEmpty { return "did you mean " + near.joined(separator: " or ") + "?" }
            return names.isEmpty ? nil : "there are: " + names.joined(separator: ", ")
        }
        if !names.isEmpty { return "allowed: " + names.joined(separator: ", ") }
        guard let schema, violation["rule"]?.string != "required" else { return nil }
        return schema.limits.isEmpty ? nil : "allowed: \(schema.limits)"
    }
}
