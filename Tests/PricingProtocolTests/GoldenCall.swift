/// One method's parameters as they come over the wire: such that fit, and such that do not, each with its violation.
struct GoldenCall: Sendable {
    let method: String
    let fits: [String]
    let breaks: [Broken]

    /// Parameters that do not fit, and the one violation that they must give.
    struct Broken: Sendable {
        let params: String
        let path: String
        let rule: String
    }

    init(_ method: String, _ fits: [String], _ breaks: [(params: String, path: String, rule: String)]) {
        self.method = method
        self.fits = fits
        self.breaks = breaks.map { Broken(params: $0.params, path: $0.path, rule: $0.rule) }
    }

    static func takesNothing(_ method: String) -> GoldenCall {
        GoldenCall(method, ["{}"], [(#"{"x": 1}"#, "/x", "unknown")])
    }

    static func takesPage(_ method: String, _ fits: [String] = []) -> GoldenCall {
        GoldenCall(
            method,
            ["{}", #"{"limit": 500, "cursor": "7"}"#] + fits,
            [
                (#"{"limit": 0}"#, "/limit", "minimum"), (#"{"limit": 501}"#, "/limit", "maximum"),
                (#"{"limit": 10.0}"#, "/limit", "type"), (#"{"cursor": ""}"#, "/cursor", "length"),
                (#"{"cursor": 7}"#, "/cursor", "type"),
            ]
        )
    }

    static func takesID(
        _ method: String,
        _ name: String,
        _ more: [(params: String, path: String, rule: String)] = []
    ) -> GoldenCall {
        GoldenCall(
            method,
            [#"{"\#(name)": 1}"#, #"{"\#(name)": 9007199254740992}"#],
            [
                ("{}", "/\(name)", "required"), (#"{"\#(name)": 0}"#, "/\(name)", "minimum"),
                (#"{"\#(name)": -1}"#, "/\(name)", "minimum"), (#"{"\#(name)": "1"}"#, "/\(name)", "type"),
                (#"{"\#(name)": null}"#, "/\(name)", "type"),
                (#"{"\#(name)": 9007199254740993}"#, "/\(name)", "maximum"),
                (#"{"\#(name)": 18446744073709551617}"#, "/\(name)", "type"),
                (#"{"\#(name)": 1, "a/b~c": 1}"#, "/a~1b~0c", "unknown"),
                (#"{"\#(name)": 1, "a/\u0301b": 1}"#, "/a~1\u{301}b", "unknown"),
            ] + more
        )
    }

    static let all: [GoldenCall] = [
        session, server, category, supplier, product, inventory, price, pricing, campaign, rule, proposal, audit, order,
        quote, user, report, dashboard, data, clock, events, lab,
    ].flatMap { $0 }
}
