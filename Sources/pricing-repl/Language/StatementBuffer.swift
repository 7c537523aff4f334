/// Gathers lines until they make a whole command, so that JSON may be written over several lines.
struct StatementBuffer {
    private var pending = ""

    /// A command has begun and its brackets are still open.
    var isOpen: Bool { !pending.isEmpty }

    /// Takes one line; gives the command that it completes. A line that cannot be read is given too, for its error.
    mutating func add(_ line: String) -> String? {
        let text = pending.isEmpty ? line : pending + "\n" + line
        do throws(SyntaxError) {
            _ = try CommandLexer.lex(text)
        } catch .incomplete {
            pending = text
            return nil
        } catch {
            pending = ""
            return text
        }
        pending = ""
        return text
    }

    /// Drops what has begun and gives it back; nil when nothing had.
    mutating func drop() -> String? {
        defer { pending = "" }
        return pending.isEmpty ? nil : pending
    }
}
