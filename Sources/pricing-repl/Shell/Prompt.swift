import JSONRPC
import Synchronization

/// The conversation with a person at a terminal.
@MainActor
final class Prompt {
    private let shell: Shell
    private let editor: LineEditor
    private let announcements = Announcements()
    private let feed: EventFeed
    private let help: PromptHelp
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
        feed = EventFeed(view: shell.session.view, announcements: announcements, console: shell.console)
        shell.feed = feed
        let ghost = Ghost(
            ask: { [weak shell] in await shell?.effect(ofTyped: $0) },
            arrived: { [announcements] in announcements.wake() }
        )
        help = PromptHelp(
            view: shell.session.view,
            announcements: announcements,
            feed: feed,
            console: shell.console,
            ghost: ghost,
            isColoured: shell.deeds.palette.isOn
        )
        shell.session.notified = {
            [feed, announcements, console = shell.console, progress = shell.session.progress] method, parameters in
            guard method == Message.progress else { return feed.take(method: method, parameters: parameters) }
            // Of a call that was left nothing is told until it has ended.
            guard !announcements.isReading, console.isCapable, let width = console.width else { return }
            progress.show(EventText.line(method: method, parameters: parameters), width: width)
        }
        // While a command runs it is told at once: it may be why the command does not end.
        shell.tellsBeside = { [feed, announcements, console = shell.console] text in
            if announcements.isReading { feed.take(text: text) } else { console.show(text + "\n") }
        }
        shell.session.told = shell.tellsBeside
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
            for entry in history?.news() ?? [] { remember(entry) }
            if let text = await feed.waiting() { shell.console.show(text + "\n") }
            help.ghost.forget()
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
        help.isAsking.store(true, ordering: .relaxed)
        defer { help.isAsking.store(false, ordering: .relaxed) }
        switch await editor.read(prompt: question, text: "", help: help) {
        case .line(let line):
            shell.console.tap?.take(.answer(line))
            return line
        case .interrupted, .endOfInput: return nil
        }
    }

    /// Runs what was typed or pasted: several commands one after the other.
    private func run(_ typed: String) async -> Shell.Next {
        var buffer = StatementBuffer()
        let lines = typed.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let statements = lines.compactMap { buffer.add($0) } + [buffer.drop()].compactMap(\.self)
        let writes = statements.count > 1 ? statements.count { shell.isWrite($0) } : 0
        if writes > 0 {
            let question = "\(statements.count) commands, \(writes) write\(writes == 1 ? "" : "s"): run?  yes / no  "
            guard await answer(to: question)?.lowercased().hasPrefix("y") == true else {
                shell.console.show("nothing was run\n")
                return .goOn
            }
        }
        for statement in statements where await perform(statement) == .stop { return .stop }
        return .goOn
    }

    private func perform(_ statement: String) async -> Shell.Next {
        if HistoryFile.keeps(statement, secrets: shell.session.catalogue.secrets) {
            if history?.append(statement, at: HumanTime.present) != true { remember(statement) }
        }
        return await shell.run(statement)
    }

    private var prompt: String { shell.session.link.prompt(at: .now, isPlain: !Environment.isUnicode) }

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

    private func remember(_ entry: String) {
        editor.addHistory(entry)
        help.remember(entry)
    }
}
