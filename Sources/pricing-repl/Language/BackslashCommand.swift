/// The commands of the shell itself; one table for parsing, completion and help.
enum BackslashCommand: String, CaseIterable {
    case quit = "q"
    case help = "?"
    case expanded = "x"
    case format
    case watch
    case timing
    case include = "i"
    case connect
    case methods
    case edit = "e"
    case mute
    case wire
    case tour
    case set
    case asCode = "as"
    case explain

    /// The command called `name` or by one of its other names.
    init?(named name: String) {
        switch name {
        case "quit", "exit": self = .quit
        case "help", "h": self = .help
        default:
            guard let known = BackslashCommand(rawValue: name) else { return nil }
            self = known
        }
    }

    /// What follows the name.
    var arguments: String {
        switch self {
        case .quit, .tour: ""
        case .explain: "[REASON]"
        case .help: "[METHOD]"
        case .expanded: "[on|off|auto]"
        case .format: "[" + OutputFormat.allCases.map(\.rawValue).joined(separator: "|") + "]"
        case .watch: "[SECONDS] COMMAND [every 2s] [until MEMBER=VALUE]"
        case .timing: "[on|off]"
        case .include: "FILE"
        case .connect: "[SOCKET]"
        case .methods: "[PATTERN]"
        case .edit: "[COMMAND]"
        case .mute, .wire: "[on|off]"
        case .set: "[NAME VALUE]"
        case .asCode: CallCode.allCases.map(\.rawValue).joined(separator: "|") + " [COMMAND]"
        }
    }

    /// One line for people.
    var summary: String {
        switch self {
        case .quit: "leave (also Ctrl-D)"
        case .help: "this list, or what a method takes and gives"
        case .expanded: "one field a line; auto: when a table is too wide"
        case .format: "how results are written"
        case .watch: "run a command again and again in one place until Ctrl-C"
        case .timing: "show how long each call took"
        case .include: "run the commands of a file"
        case .connect: "connect again, or to another socket"
        case .methods: "the methods that the server has"
        case .edit: "write the command, else the last one, in $EDITOR"
        case .mute: "show no events above the prompt, or show them again"
        case .wire: "show the line that each call sends and the line that answers it"
        case .tour: "a few commands typed for you; the last ones move a price and bring it back"
        case .set: "name a text for ${NAME}; without a name, list them"
        case .explain: "what the last refusal means and what to do, or another one's reason"
        case .asCode: "the command, else the last call, as a program makes it"
        }
    }

    /// The words that may follow, for completion.
    var words: [String] {
        switch self {
        case .expanded: Expansion.allCases.map(\.rawValue)
        case .format: OutputFormat.allCases.map(\.rawValue)
        case .timing, .mute, .wire: ["on", "off"]
        case .asCode: CallCode.allCases.map(\.rawValue)
        case .quit, .help, .watch, .include, .connect, .methods, .edit, .tour, .set, .explain: []
        }
    }
}
