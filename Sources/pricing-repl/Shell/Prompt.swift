import Glibc
import JSONRPC

/// The conversation with a person at a terminal.
@MainActor
final class Prompt {
    private let shell: Shell
    private let editor: LineEditor
    private let announcements = Announcements()
    private let historyPath: String?
    private var pendingCompletion: Task<Void, Never>?

    /// How many values are asked of the server for one Tab.
    private static let liveValuesMax = 50

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
        editor.tabPressed = { [unowned self] in complete($0) }
        editor.woken = { [unowned self] in showAnnounced() }
        editor.hint = { [unowned self] in Completer(catalogue: self.shell.session.catalogue).hint(for: $0) }
    }

    /// Talks until the operator leaves.
    func run() async {
        if let historyPath { editor.loadHistory(from: historyPath) }
        defer { editor.close() }
        var buffer = StatementBuffer()
        while true {
            for case .text(let text) in announcements.take() { shell.console.show(text + "\n") }
            switch editor.read(prompt: buffer.isOpen ? "    ...> " : prompt) {
            case .endOfInput: return
            case .interrupted: _ = buffer.drop()
            case .line(let typed):
                for line in typed.split(separator: "\n", omittingEmptySubsequences: false) {
                    guard let statement = buffer.add(String(line)) else { continue }
                    remember(statement)
                    if await shell.run(statement) == .stop { return }
                }
            }
        }
    }

    private var prompt: String { shell.session.isConnected ? "pricing> " : "pricing (offline)> " }

    private func remember(_ statement: String) {
        guard HistoryFile.keeps(statement) else { return }
        editor.addHistory(statement)
        guard let historyPath, HistoryFile.makeFolders(above: historyPath) else { return }
        editor.saveHistory(to: historyPath)
    }

    private func complete(_ text: String) {
        let answer = Completer(catalogue: shell.session.catalogue).answer(for: text)
        pendingCompletion?.cancel()
        guard let query = answer.live else { return offer(answer) }
        guard let client = shell.session.liveClient else { return }
        // Typing goes on while the server thinks; the answer comes back through the wake.
        pendingCompletion = Task { @concurrent [announcements] in
            let found = try? await client.call("server.complete", query.parameters(limit: Self.liveValuesMax))
            var filled = answer
            filled.candidates = LiveValues.candidates(in: found ?? [:], word: answer.word)
            announcements.put(.completion(line: text, answer: filled))
        }
    }

    private func showAnnounced() {
        for item in announcements.take() {
            switch item {
            case .text(let text): editor.printAbove(text)
            case .completion(let line, let answer):
                // The operator has typed on: what was found is for another line.
                if editor.textBeforeCursor == line { offer(answer) }
            }
        }
    }

    private func offer(_ answer: Completer.Answer) {
        if let common = Completer.commonText(of: answer) {
            editor.replace(word: answer.word, with: common)
        } else if !answer.candidates.isEmpty {
            editor.printAbove(CandidateList(width: shell.console.width ?? 80).render(answer.candidates.map(\.label)))
        }
    }
}
