import Foundation
import JSON
import PricingProtocol
import Testing

/// Python's jsonschema reads the OpenRPC document and the golden calls: a judge that was not made beside them.
@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: "/usr/lib/python3/dist-packages/jsonschema"),
        "needs Debian's python3-jsonschema"
    ),
    .timeLimit(.minutes(1))
)
struct SecondJudgeTests {
    /// Prints a line for whatever it finds wrong. A method's parameters are judged as one object, as they are sent.
    private static let program = """
        import json, sys
        from jsonschema import Draft7Validator, RefResolver

        class Resolver(RefResolver):
            # OpenRPC's schema describes a property named $id, which this library takes for an identifier.
            def _find_in_subschemas(self, url):
                return None

        given = json.load(sys.stdin)
        document, meta, shapes = given["document"], given["meta"], {}
        for error in Draft7Validator(meta, resolver=Resolver("", meta)).iter_errors(document):
            print("document", "/".join(map(str, error.absolute_path)), error.message[:200])
        for method in document["methods"]:
            shape = {"type": "object", "additionalProperties": False,
                     "properties": {p["name"]: p["schema"] for p in method["params"]},
                     "required": [p["name"] for p in method["params"] if p["required"]],
                     "allOf": method.get("x-allOf", [{}])}
            result = method["result"]["schema"]
            Draft7Validator.check_schema(shape)
            Draft7Validator.check_schema(result)
            resolver = Resolver("", document)
            shapes[method["name"]] = Draft7Validator(shape, resolver=resolver)
            for example in method["examples"]:
                params = {p["name"]: p["value"] for p in example["params"]}
                for judge, value in ((shapes[method["name"]], params),
                                     (Draft7Validator(result, resolver=resolver), example["result"]["value"])):
                    for error in judge.iter_errors(value):
                        print(method["name"], "example", error.message[:200])
        for call in given["calls"]:
            if shapes[call["method"]].is_valid(call["params"]) != call["fits"]:
                print(call["method"], json.dumps(call["params"]), "fits" if call["fits"] else "breaks " + call["rule"])
        """

    /// What the judge says of the document and of calls.
    private func verdict(_ document: JSONObject, _ calls: [JSONValue]) throws -> String {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let meta = try Data(contentsOf: tests.appending(path: "EndToEndTests/openrpc-meta-schema.json"))
        let given: JSONObject = [
            "meta": try JSONParser.parse(Array(meta)), "document": .object(document), "calls": .array(calls),
        ]
        let (program, input, output) = (Process(), Pipe(), Pipe())
        program.executableURL = URL(filePath: "/usr/bin/python3")
        program.arguments = ["-W", "ignore", "-c", Self.program]
        program.standardInput = input
        program.standardOutput = output
        program.standardError = output
        try program.run()
        let text = given.serialized()
        Thread.detachNewThread {
            try? input.fileHandleForWriting.write(contentsOf: Data(text))
            try? input.fileHandleForWriting.close()
        }
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        program.waitUntilExit()
        return program.terminationStatus == 0 ? said : "exit \(program.terminationStatus): \(said)"
    }

    /// Whether JSON Schema can say what is wrong. It knows no sets of characters, checks no formats, compares no amounts of
    /// money, which are text, and counts no bytes, as a password's length does; and 10.0 is an integer to it.
    private func isSaid(_ broken: GoldenCall.Broken) throws -> Bool {
        if ["characters", "format"].contains(broken.rule) || broken.path == "/password" { return false }
        let isAmount = try object(broken.params)[String(broken.path.dropFirst())]?.string != nil
        return !broken.params.contains(".0") && !(isAmount && ["minimum", "maximum"].contains(broken.rule))
    }

    @Test func `it finds the document sound, and agrees on every golden call`() throws {
        let calls: [JSONValue] = try GoldenCall.all.flatMap { golden in
            try golden.fits.map { params -> JSONValue in
                ["method": .string(golden.method), "params": .object(try object(params)), "fits": true]
            }
                + golden.breaks.filter { try isSaid($0) }.map { broken -> JSONValue in
                    [
                        "method": .string(golden.method), "params": .object(try object(broken.params)), "fits": false,
                        "rule": .string(broken.rule),
                    ]
                }
        }
        #expect(calls.count > 200)
        let said = try verdict(OpenRPCDocument.make(version: "1"), calls)
        #expect(said == "")
    }

    @Test func `it sees what is wrong`() throws {
        var document = OpenRPCDocument.make(version: "1")
        document["info"] = [:]
        let said = try verdict(document, [])
        #expect(said.hasPrefix("document info "))
        let call: JSONValue = ["method": "product.get", "params": [:], "fits": true]
        let other = try verdict(OpenRPCDocument.make(version: "1"), [call])
        #expect(other == "product.get {} fits\n")
    }
}
