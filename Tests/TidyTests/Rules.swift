/// A rule of the house: what is wrong with a file, each with its line; nothing when it is well.
struct Rule: Sendable {
    let name: String
    /// Whether the rule speaks of this file.
    let concerns: @Sendable (HouseFile) -> Bool
    /// What is wrong.
    let problems: @Sendable (HouseFile) -> [String]
    /// A path and a text that break it, so that the rule is seen to work.
    let planted: [HouseFile]
}

extension Rule {
    static let all: [Rule] = [
        fileLength, functionLength, unfinished, traps, access, foundation, arrows, sqlHomes, machine, registries,
        sleeps,
        pragmas, scriptNames, folders, namedPaths, sqlLines,
    ]

    static func isSwift(_ file: HouseFile) -> Bool { file.path.hasSuffix(".swift") }
    static func isOurs(_ file: HouseFile) -> Bool {
        file.isIn("Sources") || file.isIn("Tests") || file.isIn("sql") || file.isIn("examples")
    }

    static func swift(_ path: String, _ text: String) -> HouseFile { HouseFile(path: path, text: text) }

    /// Every line of `text` that matches, with its number.
    static func matches<Output>(_ text: String, _ pattern: Regex<Output>) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            guard let match = line.firstMatch(of: pattern) else { return nil }
            return "line \(number + 1): \(line[match.range])"
        }
    }

    /// The schema and its triggers are read whole, and so is the schema's snapshot.
    private static let longFiles: Set<String> = [
        "sql/01_create_tables.sql", "sql/04_create_triggers.sql", "Tests/PricingTests/schema.sql",
    ]

    static let fileLength = Rule(
        name: "No file is longer than 400 lines, but the schema and its triggers",
        concerns: { isOurs($0) && !$0.path.hasSuffix(".jsonl") && !longFiles.contains($0.path) },
        problems: { file in
            let count = file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0)
            return count > 400 ? ["\(count) lines"] : []
        },
        planted: [HouseFile(path: "sql/20_long.sql", text: String(repeating: "select 1;\n", count: 401))]
    )

    static let functionLength = Rule(
        name: "No function is longer than 70 lines",
        concerns: { isSwift($0) || $0.isIn("sql") },
        problems: { file in
            if file.isIn("sql") { return longSQLFunctions(file) }
            return FunctionSpan.all(in: file.swift).filter { $0.length > 70 }.map {
                "line \($0.line): \($0.length) lines"
            }
        },
        planted: [
            swift("Sources/A/A.swift", "    func a(\n        b: Int\n    ) {\n" + filler(68) + "    }\n"),
            swift("Sources/A/B.swift", "struct B {\n    init?(b: Int) throws {\n" + filler(70) + "    }\n}\n"),
            HouseFile(path: "sql/20_a.sql", text: "create function a() as $$\n" + filler(70) + "$$;\n"),
        ]
    )

    private static func filler(_ count: Int) -> String { String(repeating: "        a += 1\n", count: count) }

    private static func longSQLFunctions(_ file: HouseFile) -> [String] {
        var start: Int?
        var problems: [String] = []
        for (number, line) in file.lines.enumerated() {
            if line.hasPrefix("create function") { start = number }
            if let begun = start, line.hasSuffix("$$;") {
                if number - begun >= 70 { problems.append("line \(begun + 1): \(number - begun + 1) lines") }
                start = nil
            }
        }
        return problems
    }

    static let unfinished = Rule(
        name: "Nothing is left for later",
        concerns: { _ in true },
        problems: { matches($0.text, /\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b/) },
        planted: [
            swift("Sources/A/A.swift", "// TO" + "DO: later"), HouseFile(path: "sql/1.sql", text: "-- FIX" + "ME"),
        ]
    )

    static let traps = Rule(
        name: "No force unwrap, no forced try or cast, no deliberate crash",
        concerns: isSwift,
        problems: {
            matches($0.swift.code, /\b(tr[y]|as)[!]|\bfatal[E]rror\b|\bunsafely[U]nwrapped\b|[\w)\]}>\x22][!](?![=\w])/)
        },
        planted: [
            "let a = try! b()", "let a = b as! C", "fatalError(\"x\")", "let a = b!", "let a = b()!.c", "let a = b[0]!",
            "var a: Int!", "let a = (b)!\n",
        ].map { swift("Sources/A/A.swift", $0) }
    )

    static let access = Rule(
        name: "Nothing is public or open",
        concerns: isSwift,
        problems: { file in
            // A test's name in backticks is a sentence.
            matches(file.swift.code.replacing(/`[^`\n]*`/, with: ""), /(^|\s)(public|open)\s+(?!\()(?=[a-z@])/)
        },
        planted: ["public struct A {}", "    public let a = 1", "open class A {}", "public import A"].map {
            swift("Sources/A/A.swift", $0)
        }
    )

    static let foundation = Rule(
        name: "Foundation stays out of the sources",
        // The rival of a comparison is built from Foundation's JSON: that is what it is.
        concerns: {
            isSwift($0) && $0.isIn("Sources") && $0.path != "Sources/pricing-bench/Compare/JSONEchoServer.swift"
        },
        problems: { matches($0.swift.code, /\bimport\s+(struct\s+|class\s+)?Foundation\w*/) },
        planted: ["import Foundation", "package import FoundationEssentials", "import struct Foundation.Data"].map {
            swift("Sources/A/A.swift", $0)
        }
    )
}
