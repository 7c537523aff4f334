import JSON

/// Runs a recorded session again, and where it is asked for says in what this run is another one.
@MainActor
final class Replay {
    private let transcript: Transcript
    private let path: String
    private let shell: Shell
    private let tap: Tap
    /// Whether the recording says what must come.
    private let isExpected: Bool
    private let out = Console()
    private var answers: ArraySlice<String> = []

    init(_ transcript: Transcript, at path: String, _ shell: Shell, _ tap: Tap, isExpected: Bool) {
        self.transcript = transcript
        self.path = path
        self.shell = shell
        self.tap = tap
        self.isExpected = isExpected
    }

    func run() async -> ExitStatus {
        if case .failure(let failure) = await shell.session.result("session.ping", [:]) {
            out.complain(failure.line)
            return failure.status
        }
        shell.deeds.ask = { _ in self.answer() }
        defer { shell.deeds.ask = nil }
        var likeness = Likeness()
        var differing = 0
        for (index, entry) in transcript.entries.enumerated() {
            let command = likeness.command(entry.command)
            if !isExpected { out.show(Transcript.text(command: command)) }
            answers = entry.answers[...]
            tap.begin()
            let next = await shell.run(command)
            let lines = Transcript.lines(of: tap.end())
            if isExpected, let found = likeness.difference(entry.lines, lines) {
                differing += 1
                out.show("\(path):\(entry.place): \(DisplayText.safe(command))\n")
                out.show(found.recorded.map { "- \($0)\n" }.joined() + found.now.map { "+ \($0)\n" }.joined())
            }
            if next == .stop {
                let left = transcript.entries.count - index - 1
                if left > 0 { out.complain("the session ended here: \(left) commands were not run") }
                differing += left
                break
            }
        }
        guard isExpected else { return .ok }
        let count = transcript.entries.count
        let outcome = differing == 0 ? "as recorded" : "\(differing) not as recorded"
        out.complain("\(count) command\(count == 1 ? "" : "s"), \(outcome)")
        return differing == 0 ? .ok : .callFailed
    }

    /// A question that the recording has no answer to is left.
    private func answer() -> String? {
        guard let answer = answers.popFirst() else { return nil }
        tap.take(.answer(answer))
        if !isExpected { out.show(Transcript.text(answer: answer)) }
        return answer
    }
}
