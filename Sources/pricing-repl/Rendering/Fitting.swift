/// How wide the columns of a table are where the terminal is narrower than what they hold.
struct Fitting {
    /// Between two columns.
    var gap: Int
    /// The narrowest that a text is cut to.
    var least: Int
    /// Whether columns that have no room even so are left out at the right, where the least important ones stand.
    var leavesOut = false

    /// - Parameters:
    ///   - wanted: what each column holds.
    ///   - mayCut: those that are still known by their beginning. Room is taken from the widest of them first.
    ///   - width: the terminal's; nil for one that has room for all.
    func widths(_ wanted: [Int], mayCut: [Bool], width: Int?) -> [Int] {
        guard let width else { return wanted }
        var widths = wanted
        while widths.reduce(0, +) + gap * max(0, widths.count - 1) > width {
            let texts = widths.indices.filter { mayCut[$0] && widths[$0] > least }
            if let widest = texts.max(by: { widths[$0] < widths[$1] }) {
                widths[widest] -= 1
            } else if leavesOut, widths.count > 1 {
                // What is left may have more room again.
                widths = Array(wanted.prefix(widths.count - 1))
            } else {
                if leavesOut, mayCut.first == true { widths[0] = min(widths[0], max(1, width)) }
                break
            }
        }
        return widths
    }
}
