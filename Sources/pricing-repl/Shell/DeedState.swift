import JSON

/// What the shell remembers between deeds, and how it speaks with the operator.
struct DeedState {
    /// The rows of the last table, for `%2`.
    var rows: [Named] = []
    /// The last thing that was named, for `.`.
    var last: Named?
    /// The text of the command that runs, for the mark under a mistake.
    var statement = ""
    /// Every question is answered with yes.
    var saysYes = false
    var palette = Palette.plain
    var times = HumanTime()
    /// Asks the operator; gives nil where they leave. Nil in a script.
    var ask: (@MainActor (String) async -> String?)?
}
