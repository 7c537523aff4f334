/// A line of eight heights, a character a value.
enum Sparkline {
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// - Parameter most: of more values, each part of them shows its last.
    static func text(_ values: [Double], most: Int = 30) -> String {
        guard let least = values.min(), let highest = values.max(), most > 0 else { return "" }
        let shown: [Double] =
            values.count <= most
            ? values
            : (0..<most).map { values[($0 + 1) * values.count / most - 1] }
        return String(
            shown.map { value in
                let share = highest > least ? (value - least) / (highest - least) : 0
                return bars[min(bars.count - 1, Int(share * Double(bars.count)))]
            }
        )
    }
}
