import JSON

/// What the operator asked for.
enum Command: Equatable {
    case nothing
    case call(method: String, parameters: JSONObject)
    /// What a person wants done.
    case deed(Deed)
    /// A call whose effect is shown and taken back.
    case attempt(method: String, parameters: JSONObject)
    /// A JSON-RPC message that is sent as it is.
    case message(String)
    case quit
    case help(topic: String?)
    /// nil asks for the next state: off, on.
    case expanded(Expansion?)
    /// nil asks which format holds.
    case format(OutputFormat?)
    case watch(WatchOrder)
    /// nil turns it over.
    case timing(Bool?)
    case include(path: String)
    /// nil connects again to the same socket.
    case connect(path: String?)
    case methods(pattern: String)
    /// nil takes the last command.
    case edit(text: String?)
    /// nil turns it over.
    case mute(Bool?)
    /// nil turns it over.
    case wire(Bool?)
    case tour
    case set(name: String, value: String)
    case listSet
    /// nil takes the last refusal's.
    case explain(reason: String?)
    /// nil takes the last call.
    case asCode(CallCode, text: String?)
}

/// Whether results are shown one field a line.
enum Expansion: String, CaseIterable {
    case on
    case off
    /// When the table is wider than the terminal.
    case auto
}
