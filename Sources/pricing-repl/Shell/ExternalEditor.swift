import CEditLine
import Glibc

/// `$VISUAL`, `$EDITOR` or vi on a text.
enum ExternalEditor {
    /// The text as it was saved; nil when the editor failed.
    static func edit(_ text: String) -> String? {
        var template = Array("/tmp/pricing-XXXXXX.txt".utf8CString)
        let file = unsafe mkstemps(&template, 4)
        guard file >= 0 else { return nil }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { _ = unsafe unlink(path) }
        let isWritten = Console.write(text + "\n", to: file)
        close(file)
        guard isWritten, run(on: path), var lines = LineReader(path: path) else { return nil }
        var edited: [String] = []
        while let line = lines.next() { edited.append(line) }
        while edited.last?.allSatisfy(\.isWhitespace) ?? false { edited.removeLast() }
        return edited.joined(separator: "\n")
    }

    /// By the shell, since the variable may hold words; on a terminal as it was before us.
    private static func run(on path: String) -> Bool {
        editline_terminal_restore()
        defer { editline_terminal_quiet() }
        let editor = Environment.text("VISUAL") ?? Environment.text("EDITOR") ?? "vi"
        return unsafe system("\(editor) \(path)") == 0
    }
}
