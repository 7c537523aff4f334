/// The conversation with a person at a terminal.
@MainActor
final class Prompt {
    private let shell: Shell
    private let editor: LineEditor
    private let announcements = Announcements()
    private let historyPath: String?

    /// Nil when the terminal refuses.
    init?(shell: Shell, historyPath: String?) {
        guard let editor = LineEditor() else { return nil }
        self.shell = shell
        self.editor = editor
        self.historyPath = historyPath
        announcements.attach(editor.waker)
        shell.interrupts.attach(editor.waker)
        shell.session.notified = { [announcements] method, parameters in
            announcements.put(.text(EventText.line(method: method, parameters: parameters)))
        }
    }

    /// Talks until the operator leaves.
    func run() async {
        shell.deeds.ask = { [weak self] question in await self?.answer(to: question) }
        if let historyPath { editor.loadHistory(from: historyPath) }
        defer { editor.close() }
        var buffer = StatementBuffer()
        while true {
            switch await editor.read(prompt: buffer.isOpen ? "    ...> " : prompt, help: help) {
            case .endOfInput: return
            case .interrupted: _ = buffer.drop()
            case .line(let typed):
                for line in typed.split(separator: "\n", omittingEmptySubsequences: false) {
                    guard let statement = buffer.add(String(line)) else { continue }
                    remember(statement)
                    if await shell.run(statement) == .stop { return }
                    flush()
                }
            }
        }
    }

    /// What the operator says to a question; nil when they leave it.
    private func answer(to question: String) async -> String? {
        switch await editor.read(prompt: question, help: help) {
        case .line(let line): line
        case .interrupted, .endOfInput: nil
        }
    }

    private var prompt: String { shell.session.isConnected ? "pricing> " : "pricing (offline)> " }

    private var help: PromptHelp {
        PromptHelp(
            catalogue: shell.session.catalogue,
            client: shell.session.liveClient,
            announcements: announcements,
            console: shell.console
        )
    }

    /// Shows what was announced while a command ran.
    private func flush() {
        for case .text(let text) in announcements.removeAll() { shell.console.show(text + "\n") }
    }

    private func remember(_ statement: String) {
        guard HistoryFile.keeps(statement) else { return }
        editor.addHistory(statement)
        guard let historyPath, HistoryFile.makeFolders(above: historyPath) else { return }
        editor.saveHistory(to: historyPath)
    }
}
