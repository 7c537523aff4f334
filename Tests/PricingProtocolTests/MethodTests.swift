import JSON
import JSONRPC
import PricingProtocol
import Testing

struct MethodTests {
    @Test(arguments: GoldenCall.all.indices)
    func `A golden line of each method is read, and its parameters fit`(index: Int) throws {
        let golden = GoldenCall.all[index]
        let method = try #require(AllMethods.byName[golden.method], "\(golden.method)")
        for params in golden.fits {
            let line = #"{"jsonrpc":"2.0","id":"g1","method":"\#(golden.method)","params":\#(params)}"#
            guard case .request(let request) = Message(line: Array(line.utf8)) else {
                Issue.record("not a request: \(line)")
                continue
            }
            #expect(request.method == golden.method && request.id == "g1")
            #expect(violations(request.params, method.parameters) == [], "\(line)")
        }
    }

    @Test(arguments: GoldenCall.all.indices)
    func `Parameters that do not fit give their one violation`(index: Int) throws {
        let golden = GoldenCall.all[index]
        let method = try #require(AllMethods.byName[golden.method], "\(golden.method)")
        #expect(!golden.breaks.isEmpty, "\(golden.method)")
        for broken in golden.breaks {
            let found = try violations(object(broken.params), method.parameters)
            #expect(Set(found.map { "\($0.path) \($0.rule)" }) == ["\(broken.path) \(broken.rule)"], "\(broken.params)")
            #expect(found.allSatisfy { !$0.message.isEmpty })
        }
    }

    @Test
    func `Every method has its golden calls, and every method of this stage exists`() {
        let names = Set(GoldenCall.all.map(\.method))
        #expect(names.subtracting(AllMethods.byName.keys) == [])
        #expect(Set(AllMethods.byName.keys).subtracting(names) == [], "no golden call")
    }

    @Test func `what a method does to the daemon stands in its declaration`() {
        func names(_ isOne: (Method) -> Bool) -> Set<String> { Set(AllMethods.list.filter(isOne).map(\.name)) }
        #expect(names(\.isUrgent) == ["session.ping", "session.hello", "server.status"])
        #expect(
            names(\.wakesTicker)
                == [
                    "price.pin", "clock.set", "pricing.resume", "rule.activate", "rule.revise", "audit.repair",
                    "product.import",
                    "campaign.create", "campaign.end", "price.rollback",
                ]
        )
        #expect(names { $0.batching == .orders } == ["order.place"])
        #expect(names { $0.batching == .reads } == ["price.get", "product.get", "inventory.get"])
    }

    @Test
    func `All violations are told at once`() throws {
        let method = try #require(AllMethods.byName["order.place"])
        let params = try object(#"{"lines": [{"productId": 0, "quantity": "1"}, 5], "note": 1}"#)
        #expect(
            Set(violations(params, method.parameters).map { "\($0.path) \($0.rule)" })
                == [
                    "/customerId required", "/lines/0/productId minimum", "/lines/0/quantity type", "/lines/1 type",
                    "/note unknown",
                ]
        )
    }

    @Test
    func `A name is noun.verb in lower camel case, a summary is a sentence`() {
        for method in AllMethods.list {
            #expect(method.name.wholeMatch(of: /[a-z]+\.[a-z][A-Za-z]*/) != nil, "\(method.name)")
            #expect(method.summary.hasSuffix("."), "\(method.name)")
            #expect(Set(method.parameters.fields.map(\.name)).count == method.parameters.fields.count, "\(method.name)")
            #expect(!method.parameters.fields.contains { $0.name == "_meta" }, "\(method.name)")
            #expect(!method.parameters.isOpen && method.result.isOpen, "\(method.name)")
            for field in method.parameters.fields + method.result.fields {
                #expect(!field.summary.isEmpty, "\(method.name)")
            }
        }
        #expect(AllMethods.byName.count == AllMethods.list.count)
    }

    @Test
    func `No parameter or result that could hold a password is anywhere but where one is set or checked`() {
        for method in AllMethods.list {
            let takes = method.parameters.fields.contains { $0.name.lowercased().contains("password") }
            #expect(
                takes == ["user.create", "user.update", "user.authenticate", "login.open"].contains(method.name),
                "\(method.name)"
            )
            #expect(!method.result.fields.contains { $0.name.lowercased().contains("password") }, "\(method.name)")
        }
    }

    @Test(arguments: [
        (
            #"{"idempotencyKey":"k","timeoutMs":5,"dryRun":true,"progressToken":1,"actor":"me","login":"t","fresh":false}"#,
            ""
        ),
        (#"{"fresh": 1}"#, "/_meta/fresh type"),
        (#"{"login": ""}"#, "/_meta/login length"), (#"{"login": 7}"#, "/_meta/login type"),
        (#"{"idempotencyKey": ""}"#, "/_meta/idempotencyKey length"),
        (#"{"timeoutMs": 0}"#, "/_meta/timeoutMs minimum"),
        (#"{"dryRun": 1}"#, "/_meta/dryRun type"), (#"{"trace": "x"}"#, "/_meta/trace unknown"),
        ("7", "/_meta type"),
    ])
    func `_meta is read, its unknown members are not`(text: String, violation: String) throws {
        let value = try JSONParser.parse(Array(text.utf8))
        var validator = SchemaValidator()
        validator.check(value, .object(CallMeta.shape), at: "/_meta")
        #expect(validator.violations.map { "\($0.path) \($0.rule)" }.joined() == violation)
        if violation.isEmpty, let object = value.object {
            let meta = CallMeta(object)
            #expect(meta.idempotencyKey == "k" && meta.timeoutMs == 5 && meta.isDryRun && meta.actor == "me")
            #expect(meta.progressToken == 1 && meta.login == "t" && meta.isFresh == false)
        }
    }

    @Test(arguments: [
        ("order.plcae", ["order.place"]), ("order.place", ["order.place"]), ("Order.Place", ["order.place"]),
        ("product.gett", ["product.get"]), ("", []), ("completely.different", []),
        (String(repeating: "x", count: 1_000_000), []),
    ])
    func `The nearest names to an unknown one`(name: String, first: [String]) {
        let near = AllMethods.near(name)
        #expect(Array(near.prefix(1)) == first)
        #expect(near.count <= 3)
    }
}

func object(_ text: String) throws -> JSONObject {
    try #require(try JSONParser.parse(Array(text.utf8)).object)
}

func violations(_ object: JSONObject, _ shape: ObjectShape) -> [Violation] {
    var validator = SchemaValidator()
    validator.check(object, shape)
    return validator.violations
}
