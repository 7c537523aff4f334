/// Colours, or none.
struct Palette: Equatable {
    var isOn: Bool

    static let plain = Palette(isOn: false)

    /// What was asked for on the command line.
    enum Choice: String, CaseIterable {
        case auto
        case always
        case never
    }

    init(isOn: Bool) { self.isOn = isOn }

    /// `--color` first; then `NO_COLOR` and `CLICOLOR_FORCE`, whatever they say unless nothing; then whether it is a terminal.
    init(_ choice: Choice, isTerminal: Bool, environment: (String) -> String?) {
        switch choice {
        case .always: isOn = true
        case .never: isOn = false
        case .auto:
            let isForced = !["", "0"].contains(environment("CLICOLOR_FORCE") ?? "")
            let isRefused = environment("NO_COLOR")?.isEmpty == false
            isOn = !isRefused && (isForced || (isTerminal && environment("TERM") != "dumb"))
        }
    }

    func bold(_ text: String) -> String { wrapped(text, "1") }
    func faint(_ text: String) -> String { wrapped(text, "2") }
    func up(_ text: String) -> String { wrapped(text, "32") }
    func down(_ text: String) -> String { wrapped(text, "31") }
    func warning(_ text: String) -> String { wrapped(text, "33") }

    private func wrapped(_ text: String, _ code: String) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
