/// Commands that would do instead of one that was refused, and what each is good for.
enum WaysOut {
    /// A command stands alone in its row where not both have room.
    static func text(_ ways: [(command: String, words: String)], width: Int?, palette: Palette) -> String {
        let widest = ways.reduce(0) { max($0, DisplayText.width($1.command)) }
        let isWide = ways.allSatisfy { 4 + widest + DisplayText.width($0.words) <= width ?? .max }
        return ways.reduce(into: "") { text, way in
            let command = DisplayText.safe(way.command)
            text += "  " + (isWide ? DisplayText.padded(command, to: widest) + "  " : command + "\n      ")
            text += palette.faint(way.words) + "\n"
        }
    }
}
