package import JSON
import PricingProtocol
package import RPCTransport

/// Walks through a list, a page at a time.
package struct Pages: Sendable {
    private let method: String
    private var params: JSONObject
    /// Whether the last page was read.
    package private(set) var isAtEnd = false

    /// - Parameters:
    ///   - method: one that takes `limit` and `cursor`.
    ///   - filter: its other parameters.
    ///   - limit: rows a page.
    package init(of method: String, _ filter: JSONObject = [:], limit: Int64 = CallLimit.pageRows.value) {
        self.method = method
        params = filter
        params["limit"] = .integer(limit)
    }

    /// The rows of the next page; none after the last.
    package mutating func next(_ client: RPCClient) async throws -> [JSONValue] {
        guard !isAtEnd else { return [] }
        let page = try await client.call(method, params)
        let cursor = page["nextCursor"] ?? .null
        params["cursor"] = cursor
        isAtEnd = cursor.isNull
        return page["items"]?.array ?? []
    }
}
