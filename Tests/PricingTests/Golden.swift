import Foundation
import JSON
import PricingClient
import Testing

@testable import pricing_simulate

/// Values that were made by another program, and the public scenarios with what was measured on them there.
enum Golden {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    /// One entry of golden.json.
    static func value(_ name: String) throws -> JSONValue {
        let bytes = try Data(contentsOf: folder.appending(path: "golden.json"))
        return try #require(JSONParser.parse(Array(bytes))[name], "\(name)")
    }

    /// The public scenarios by name: as `lab.run` takes them, and every column as it is written.
    static func scenarios() throws -> [(scenario: JSONObject, columns: [String: String])] {
        let text = try String(contentsOf: folder.appending(path: "../../examples/scenarios.csv"), encoding: .utf8)
        return Array(zip(try ScenarioFile.scenarios(in: text), try ScenarioFile.rows(in: text).map(\.fields)))
    }

    /// One public scenario as JSON text.
    static func scenario(_ name: String) throws -> String {
        let found = try scenarios().first { $0.scenario["name"]?.string == name }
        return try #require(found.map { "\(JSONValue.object($0.scenario))" })
    }
}

extension JSONValue {
    /// The number, whatever way it is written.
    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .decimal(let text), .string(let text): Double(text)
        default: nil
        }
    }

    var numbers: [Double] { (array ?? []).compactMap(\.number) }
}
