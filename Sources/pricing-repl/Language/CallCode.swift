import JSON

/// A call as a program would make it, by what the language ships with.
enum CallCode: String, CaseIterable {
    case python
    case node
    case curl
    case shell

    func text(method: String, parameters: JSONObject, socket: String) -> String {
        let request: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(parameters),
        ]
        let line = request.description
        return switch self {
        case .shell: "pricing-repl -c \(Self.quoted("\(method) \(JSONValue.object(parameters))"))\n"
        case .curl:
            """
            # pricing-web listens at this address unless told otherwise.
            curl -sS http://127.0.0.1:8080/api/\(method) -H 'Content-Type: application/json' \\
                -d \(Self.quoted(JSONValue.object(parameters).description))

            """
        case .python:
            """
            import json, socket

            connection = socket.socket(socket.AF_UNIX)
            connection.connect(\(Self.literal(socket)))
            request = json.loads(\(Self.literal(line)))
            connection.sendall((json.dumps(request) + "\\n").encode())
            print(json.loads(connection.makefile().readline()))

            """
        case .node:
            """
            const net = require("node:net"), readline = require("node:readline");
            const connection = net.connect(\(Self.literal(socket)));
            connection.write(JSON.stringify(\(line)) + "\\n");
            readline.createInterface({ input: connection }).once("line", (line) => {
                console.log(JSON.parse(line));
                connection.end();
            });

            """
        }
    }

    /// For a POSIX shell.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// A string as JSON has it is one in both languages.
    private static func literal(_ text: String) -> String { JSONValue.string(text).description }
}
