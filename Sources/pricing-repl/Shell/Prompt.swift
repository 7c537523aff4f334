/// The conversation with a person at a terminal.
@MainActor
final class Prompt {
    private let shell: Shell
    private let editor: LineEditor
    private let announcements = Announcements()
    private let feed: EventFeed
    private var history: HistoryFile?
    private var ticking: Task<Void, Never>?

    /// Nil when the terminal refuses.
    init?(shell: Shell, historyPath: String?) {
        guard let editor = LineEditor() else { return nil }
        self.shell = shell
        self.editor = editor
        history = historyPath.map { HistoryFile(path: $0) }
        announcements.attach(editor.waker)
        shell.interrupts.attach(editor.waker)
        feed = EventFeed(view: shell.session.view, announcements: announcements)
        shell.feed = feed
        shell.session.notified = { [feed] in feed.take(method: $0, parameters: $1) }
        // While a command runs it is told at once: it may be why the command does not end.
        shell.session.told = { [feed, announcements, console = shell.console] text in
            if announcements.isReading { feed.take(text: text) } else { console.show(text + "\n") }
        }
        shell.session.linkChanged = { [weak self] in self?.linkChanged() }
    }

    /// Talks until the operator leaves.
    func run() async {
        shell.deeds.ask = { [weak self] question in await self?.answer(to: question) }
        defer { editor.close() }
        let showing = Task { [feed] in await feed.run() }
        defer { showing.cancel() }
        defer { ticking?.cancel() }
        while true {
            for entry in history?.news() ?? [] { editor.addHistory(entry) }
            if let text = await feed.waiting() { shell.console.show(text + "\n") }
            let draft = shell.draft ?? ""
            shell.draft = nil
            switch await editor.read(prompt: prompt, text: draft, help: help) {
            case .endOfInput: return
            case .interrupted: break
            case .line(let typed): if await run(typed) == .stop { return }
            }
        }
    }

    /// What the operator says to a question; nil when they leave it.
    private func answer(to question: String) async -> String? {
        switch await editor.read(prompt: question, text: "", help: help) {
        case .line(let line): line
        case .interrupted, .endOfInput: nil
        }
    }

    /// Runs what was typed or pasted: several commands one after the other.
    private func run(_ typed: String) async -> Shell.Next {
        var buffer = StatementBuffer()
        for line in typed.split(separator: "\n", omittingEmptySubsequences: false) {
            guard let statement = buffer.add(String(line)) else { continue }
            if await perform(statement) == .stop { return .stop }
        }
        guard let rest = buffer.drop() else { return .goOn }
        return await perform(rest)
    }

    private func perform(_ statement: String) async -> Shell.Next {
        if HistoryFile.keeps(statement, secrets: shell.session.catalogue.secrets) {
            if history?.append(statement, at: HumanTime.present) != true { editor.addHistory(statement) }
        }
        return await shell.run(statement)
    }

    private var prompt: String { shell.session.link.prompt(at: .now, isPlain: isPlain) }

    /// Whether the terminal may know no more than ASCII.
    private let isPlain: Bool = {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { Environment.text($0) }
        let name = (names.first ?? "C").lowercased()
        return !name.hasSuffix("utf-8") && !name.hasSuffix("utf8")
    }()

    /// The prompt turns while one types, and counts for how long.
    private func linkChanged() {
        announcements.put(.prompt(prompt))
        ticking?.cancel()
        ticking = nil
        guard case .down = shell.session.link.phase else { return }
        ticking = Task { [weak self] in
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(1)) } catch { return }
                guard let self, !Task.isCancelled else { return }
                announcements.put(.prompt(prompt))
            }
        }
    }

    private var help: PromptHelp {
        PromptHelp(view: shell.session.view, announcements: announcements, feed: feed, console: shell.console)
    }
}
