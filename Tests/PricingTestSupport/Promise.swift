package import JSON
import PricingProtocol
import Testing

/// What `rpc.discover` promises of every method: the shape of the parameters that it accepts, and of its reply.
package enum Promise {
    private static let document = JSONValue.object(OpenRPCDocument.make(version: "test"))
    private static let reader = JSONSchemaReader(in: document)
    private static let methods: [String: JSONValue] = (document["methods"]?.array ?? []).reduce(into: [:]) {
        if let name = $1["name"]?.string { $0[name] = $1 }
    }

    /// Fails the running test when a call that succeeded breaks the promise, naming method and path.
    package static func check(_ method: String, _ params: JSONObject, _ result: JSONObject) {
        for violation in violations(method, params, result) {
            Issue.record("\(method) breaks its schema: \(violation)")
        }
    }

    /// Where and why a call that succeeded breaks the promise.
    package static func violations(_ method: String, _ params: JSONObject, _ result: JSONObject) -> [String] {
        guard let promise = methods[method] else { return ["there is no such method"] }
        return violations(ofResult: result, promise) + violations(ofParams: params, promise)
    }

    /// Fails the running test when a reply breaks the promise. Who is signed in may leave out who they are, so that the
    /// parameters are not looked at.
    package static func check(_ method: String, result: JSONObject) {
        for violation in violations(ofResult: result, methods[method] ?? [:]) {
            Issue.record("\(method) breaks its schema: \(violation)")
        }
    }

    private static func violations(ofResult result: JSONObject, _ promise: JSONValue) -> [String] {
        reader.violations(of: .object(result), promise["result"]?["schema"] ?? false, at: "result")
    }

    private static func violations(ofParams params: JSONObject, _ promise: JSONValue) -> [String] {
        let declared = promise["params"]?.array ?? []
        let unknown = params.keys.filter { key in !declared.contains { $0["name"]?.string == key } }
        let together: JSONValue = ["allOf": promise["x-allOf"] ?? []]
        return unknown.map { "params/\($0): is not declared" }
            + reader.violations(of: .object(params), together, at: "params")
            + declared.flatMap { parameter -> [String] in
                let name = parameter["name"]?.string ?? ""
                guard let value = params[name] else {
                    return parameter["required"] == true ? ["params/\(name): is missing"] : []
                }
                return reader.violations(of: value, parameter["schema"] ?? false, at: "params/\(name)")
            }
    }
}
