/// Asks for the pages of a `--metrics-socket`.
package struct WatchPeer: Sendable {
    private let path: String

    package init(_ path: String) { self.path = path }

    /// Everything that is answered to these bytes, up to the end of the connection.
    package func raw(_ request: String) async throws -> String {
        let lines = try LineClient(socket: path, isChecking: false)
        lines.send(bytes: Array(request.utf8))
        var text = ""
        while let line = await lines.line() { text += line + "\n" }
        return text
    }

    package func get(_ page: String) async throws -> String {
        try await raw("GET \(page) HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n")
    }

    package func metrics() async throws -> PrometheusText {
        try PrometheusText(String(try await get("/metrics").split(separator: "\r\n\r\n", maxSplits: 1).last ?? ""))
    }
}
