import Foundation

/// Rules for text of every kind.
extension Rule {
    static let machine = Rule(
        name: "No path or name of the machine that it was made on",
        concerns: { _ in true },
        problems: {
            matches($0.text, /(^|[\s"'`(=:])\/(work|root|opt\/swift|home\/\w+)\/|\.librar[y]\b|\/tmp\/[a-z]+test/)
        },
        planted: [
            HouseFile(path: "README.md", text: "see /" + "work/shared/design.md"),
            HouseFile(path: "examples/a.sh", text: "cd /" + "root/a"),
            swift("Sources/A/A.swift", "let a = \"/" + "opt/swift/usr/bin\""),
        ]
    )

    static let registries = Rule(
        name: "No host of another registry than Debian's",
        concerns: { _ in true },
        problems: {
            matches($0.text, /(npmjs|pypi|pythonhosted|rubygems|golang|maven)\.[o]rg|(crates|docker|ghcr|quay)\.[i]o/)
                + matches($0.text, /(unpkg|jsdelivr|cdnjs|cloudflare)\.([c]om|[n]et)/)
        },
        planted: [
            HouseFile(path: "examples/a.sh", text: "curl https://registry.npmjs" + ".org/a"),
            HouseFile(path: "Sources/A/page.html", text: "<script src=\"https://cdn.jsdelivr" + ".net/a.js\">"),
        ]
    )

    static let sleeps = Rule(
        name: "No test waits by sleeping",
        concerns: { isSwift($0) && $0.isIn("Tests") },
        problems: {
            matches(
                $0.swift.code,
                /\bTask\.sleep\b|\bu?sleep\(|\bnanosleep\(|\bThread\.sleep|\.sleep\((for|until):/
            )
        },
        planted: [
            "try await Task.sleep(for: .seconds(1))", "usleep(10)", "sleep(1)", "try await clock.sleep(until: a)",
        ].map {
            swift("Tests/A/A.swift", $0)
        }
    )

    static let pragmas = Rule(
        name: "A script's first line is its one pragma, and code makes no tables and drops nothing",
        concerns: { $0.isIn("sql") },
        problems: { file in
            let first = file.lines.first ?? ""
            var problems: [String] = []
            if first.wholeMatch(of: /--! (once|code|code first|code last|demo|bench|queries)/) == nil {
                problems.append("line 1: \(first)")
            }
            if file.lines.dropFirst().contains(where: { $0.hasPrefix("--!") }) { problems.append("a second pragma") }
            if first.hasPrefix("--! code") {
                problems += matches(
                    file.text,
                    /^(create (table|index|unique|domain)\b|create or replace|alter|drop)/
                )
            }
            return problems
        },
        planted: [
            HouseFile(path: "sql/20_a.sql", text: "select 1;"),
            HouseFile(path: "sql/20_a.sql", text: "--! sometimes\n"),
            HouseFile(path: "sql/20_a.sql", text: "--! once\n--! code\n"),
            HouseFile(path: "sql/a.sql", text: "--! code\ncreate table a ();\n"),
            HouseFile(path: "sql/a.sql", text: "--! code\ndrop function a();\n"),
            HouseFile(path: "sql/a.sql", text: "--! code\ncreate or replace function a()\n"),
        ]
    )

    static let scriptNames = Rule(
        name: "A script that is applied once has a number, and code has its room",
        concerns: { $0.isIn("sql") },
        problems: { file in
            let name = /sql\/([0-9]{2}_[a-z0-9_]+|types|access|(pricing|calls|lab|bench)\/[a-z0-9_]+)\.sql/
            return file.path.wholeMatch(of: name) == nil ? [file.path] : []
        },
        planted: [HouseFile(path: "sql/more/a.sql", text: ""), HouseFile(path: "sql/A.sql", text: "")]
    )

    static let namedPaths = Rule(
        name: "What a document names is there",
        concerns: { $0.path.hasSuffix(".md") },
        problems: { file in
            let folder = House.top.appending(path: file.path).deletingLastPathComponent()
            let links = file.text.matches(of: /\]\(([^)\s:#]+)(?:#[^)]*)?\)/).map { (String($0.1), folder) }
            let names = file.text.matches(of: /`((?:sql|Sources|Tests|examples|\.ci)\/[\w.\/-]+)`/)
                .map { (String($0.1), House.top) }
            return (links + names).filter {
                !FileManager.default.fileExists(atPath: $0.1.appending(path: $0.0).path)
            }.map { $0.0 }
        },
        planted: [
            HouseFile(path: "README.md", text: "[Pricing](Sources/nowhere/Pricing.md)"),
            HouseFile(path: "examples/README.md", text: "as `sql/nowhere.sql` says"),
        ]
    )

    static let sqlLines = Rule(
        name: "A line of SQL ends at column 120",
        concerns: { $0.isIn("sql") },
        problems: { file in
            file.lines.enumerated().filter { $0.element.count > 120 }.map {
                "line \($0.offset + 1): \($0.element.count) columns"
            }
        },
        planted: [HouseFile(path: "sql/1.sql", text: "-- é" + String(repeating: "é", count: 117))]
    )
}
