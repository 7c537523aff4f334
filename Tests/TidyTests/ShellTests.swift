import Foundation
import Testing

/// Shell scripts are read by shellcheck.
@Suite(
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/shellcheck"), "needs shellcheck"),
    .timeLimit(.minutes(1))
)
struct ShellTests {
    /// The shell scripts of the house; those of `.ci` are hidden from its walk.
    private static var scripts: [String] {
        House.files.filter { $0.path.hasSuffix(".sh") || $0.text.hasPrefix("#!/usr/bin/env bash") }.map(\.path)
            + [".ci/run", ".ci/hooks/pre-commit"]
    }

    /// What shellcheck says of its arguments.
    private static func findings(_ arguments: [String], input: String = "") throws -> String {
        let (program, output, given) = (Process(), Pipe(), Pipe())
        program.executableURL = URL(filePath: "/usr/bin/shellcheck")
        program.currentDirectoryURL = House.top
        program.arguments = ["--external-sources", "--format=gcc"] + arguments
        program.standardInput = given
        program.standardOutput = output
        program.standardError = output
        try program.run()
        try given.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try given.fileHandleForWriting.close()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        program.waitUntilExit()
        return program.terminationStatus == 0 ? text : "exit \(program.terminationStatus): \(text)"
    }

    @Test func `shellcheck has nothing to say of any shell script`() throws {
        #expect(Self.scripts.count >= 7)
        let findings = try Self.findings(Self.scripts)
        #expect(findings == "")
    }

    @Test func `shellcheck sees what is wrong`() throws {
        let findings = try Self.findings(["-"], input: "#!/bin/bash\nrm -r $1\n")
        #expect(findings.contains("[SC2086]"))
    }
}
