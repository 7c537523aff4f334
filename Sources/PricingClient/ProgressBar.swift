/// What to write as work goes on: a bar that redraws itself for a person, a line each tenth for a file.
package struct ProgressBar {
    private static let width: Int64 = 40

    let isInteractive: Bool
    private var shown: Int64 = -1

    package init(isInteractive: Bool) {
        self.isInteractive = isInteractive
    }

    /// The text for `done` of `total`; nil when nothing that shows has changed.
    package mutating func show(done: Int64, total: Int64, _ message: String) -> String? {
        let share = total > 0 ? Double(min(max(done, 0), total)) / Double(total) : 1
        let percent = Int64(share * 100)
        let step = isInteractive ? percent : percent / 10
        guard step != shown else { return nil }
        shown = step
        guard isInteractive else { return "\(percent) %  \(done) of \(total) \(message)\n" }
        let filled = Int(share * Double(Self.width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Int(Self.width) - filled)
        return "\r\(bar) \(percent) %  \(done) of \(total) \(message)\u{1B}[K"
    }

    /// The text that leaves the bar behind.
    package func end() -> String {
        isInteractive && shown >= 0 ? "\n" : ""
    }
}
