/// Possible words in columns, top to bottom, as a shell lists them.
struct CandidateList {
    /// The columns of the terminal.
    var width: Int

    /// More are counted, not listed.
    private static let shownMax = 200

    func render(_ labels: [String]) -> String {
        let shown = labels.prefix(Self.shownMax).map {
            DisplayText.clipped(DisplayText.safe($0), to: max(8, width - 1))
        }
        let cell = shown.reduce(0) { max($0, DisplayText.width($1)) } + 2
        let columns = max(1, width / cell)
        let rows = (shown.count + columns - 1) / columns
        var result = ""
        for row in 0..<rows {
            var line = ""
            for index in stride(from: row, to: shown.count, by: rows) {
                line += DisplayText.padded(shown[index], to: cell)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            result += line + "\n"
        }
        if labels.count > shown.count { result += "… and \(labels.count - shown.count) more\n" }
        return result
    }
}
