import JSON
import JSONRPC
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// Every method with every value at the ends of what its schema allows: none of them breaks anything inside, and what
    /// is refused is refused at a member of the call.
    @Suite
    struct ExtremeValueTests {
        /// The daemon ends; and what makes rows without end is held by its own tests.
        private static let left: Set<String> = ["server.drain", "data.generate", "lab.run"]

        @Test func `no value that its schema allows is a fault or blames no member`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let client = try await daemon.client()
            var tried = 0
            for method in AllMethods.list where !Self.left.contains(method.name) {
                for params in calls(method) {
                    tried += 1
                    do {
                        _ = try await client.call(method.name, params)
                    } catch let error as RPCError {
                        expect(error, method, params)
                    }
                }
            }
            #expect(tried > 900)
            await client.close()
        }

        private func expect(_ error: RPCError, _ method: Method, _ params: JSONObject) {
            let text = "\(method.name) \(JSONValue.object(params).description.prefix(300))"
            #expect(error.reason != "INTERNAL", "\(text)")
            #expect(
                (ErrorCode.common + method.errors).contains { $0.reason == error.reason },
                "\(error.reason): \(text)"
            )
            guard error.reason == "INVALID_PARAMS" else { return }
            let paths = (error.data["violations"]?.array ?? []).map { $0["path"]?.string ?? "" }
            #expect(!paths.isEmpty, "\(text)")
            let members = method.parameters.fields.map { "/\($0.name)" }
            for path in paths {
                let isMember = members.contains { path == $0 || path.hasPrefix($0 + "/") }
                #expect(isMember, "\(path) in \(text)")
            }
        }

        /// The method's example with each of its parameters at its ends, one at a time, and those of its objects too.
        private func calls(_ method: Method) -> [JSONObject] {
            // What a list gives as a cursor is nothing that a caller makes.
            method.parameters.fields.filter { $0.name != "cursor" }.flatMap { field in
                values(field.schema, like: method.example[field.name]).map { value in
                    var params = method.example
                    params[field.name] = value
                    if method.effect == .write { params["_meta"] = ["dryRun": true] }
                    return params
                }
            }
        }

        private func values(_ schema: Schema, like given: JSONValue?) -> [JSONValue] {
            switch schema {
            case .any, .sum: [given ?? "x"]
            case .boolean: [true, false]
            case .integer(let range):
                [range.lowerBound, range.upperBound, min(range.upperBound, 2_147_483_647)].map { .integer($0) }
            case .number(let range): [.decimal("\(range.lowerBound)"), .decimal("\(range.upperBound)")]
            case .money: ["0.01", "1", "0.1", "9999999999.99"]
            case .text(let range), .name(let range), .bytes(let range):
                (["abc", "-1", "null", "{}", "[1e400,1]", "99999999999999999999", "%_\\"] + [
                    String(repeating: "ş", count: range.upperBound),
                    String(repeating: "\u{1F600}", count: range.upperBound),
                ]).filter { range.contains($0.unicodeScalars.count) }.map { .string($0) }
            case .time:
                ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2030-01-01T00:00:00+23:59"]
            case .choice(let choices): choices.map { .string($0) }
            case .nullable(let schema): [.null] + values(schema, like: given)
            case .list(let element, let range):
                values(element, like: given?.array?.first).map { .array([$0]) }.filter { _ in range.contains(1) }
            case .object(let shape):
                shape.fields.flatMap { field in
                    values(field.schema, like: given?[field.name]).map { value in
                        var object = given?.object ?? [:]
                        object[field.name] = value
                        return .object(object)
                    }
                }
            }
        }
    }
}
