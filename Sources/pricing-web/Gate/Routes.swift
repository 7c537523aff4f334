import HTTPTypes

/// Which room answers which path. A pattern's part in braces stands for any one part of a path.
struct Routes: Sendable {
    typealias Handler = @Sendable (Visit) async throws -> Answer

    private struct Route: Sendable {
        let method: String
        let pattern: [Substring]
        let handler: Handler
    }

    private var routes: [Route] = []

    mutating func get(_ pattern: String, _ handler: @escaping Handler) { add("GET", pattern, handler) }
    mutating func post(_ pattern: String, _ handler: @escaping Handler) { add("POST", pattern, handler) }

    /// For a room that says itself which methods a path takes.
    mutating func any(_ pattern: String, _ handler: @escaping Handler) { add("*", pattern, handler) }

    private mutating func add(_ method: String, _ pattern: String, _ handler: @escaping Handler) {
        routes.append(Route(method: method, pattern: pattern.split(separator: "/"), handler: handler))
    }

    /// Answers a visit.
    /// - Throws: 404 for a path that no route has, 405 for another method than its routes'.
    func answer(_ visit: Visit) async throws -> Answer {
        let fitting = routes.filter { Routes.fits($0.pattern, visit.path) }
        guard !fitting.isEmpty else { throw Refusal(404, "There is no such page.") }
        guard let route = fitting.first(where: { $0.method == visit.method || $0.method == "*" }) else {
            let allowed = Set(fitting.map(\.method)).sorted().joined(separator: ", ")
            throw Refusal(405, "This page does not take \(visit.method).", [(.allow, allowed)])
        }
        var visit = visit
        visit.parameters = zip(route.pattern, visit.path).filter { $0.0.hasPrefix("{") }.map(\.1)
        return try await route.handler(visit)
    }

    private static func fits(_ pattern: [Substring], _ path: [String]) -> Bool {
        pattern.count == path.count && zip(pattern, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
