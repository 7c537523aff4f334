import Foundation

/// One text file of the repository.
struct HouseFile: Sendable {
    /// Its path from the top folder.
    let path: String
    let text: String
    /// Its Swift code; empty when it is no Swift file.
    let swift: SwiftCode

    init(path: String, text: String) {
        self.path = path
        self.text = text
        swift = SwiftCode(path.hasSuffix(".swift") ? text : "")
    }

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// Whether it lies in a folder, such as `Sources/Postgres`.
    func isIn(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }
}

/// The repository as it lies on disk, without hidden files and what builds leave behind.
enum House {
    static let top = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

    /// Every text file.
    static let files: [HouseFile] = {
        guard let walk = FileManager.default.enumerator(atPath: top.path) else { return [] }
        var files: [HouseFile] = []
        for case let path as String in walk {
            if path.hasPrefix(".") {
                walk.skipDescendants()
                continue
            }
            guard let data = FileManager.default.contents(atPath: top.appending(path: path).path),
                let text = String(data: data, encoding: .utf8), !text.contains("\0")
            else { continue }
            files.append(HouseFile(path: path, text: text))
        }
        return files.sorted { $0.path < $1.path }
    }()

    /// The names in the top folder that are not hidden.
    static let topNames: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: top.path)) ?? [])
        .filter { !$0.hasPrefix(".") }.sorted()

    /// The text of one file; nil when there is none.
    static func text(_ path: String) -> String? {
        files.first { $0.path == path }?.text
    }
}
