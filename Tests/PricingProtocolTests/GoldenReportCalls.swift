extension GoldenCall {
    static let report: [GoldenCall] = [
        takesNothing("report.list"),
        GoldenCall(
            "report.run",
            [#"{"name": "products", "limit": 10}"#],
            [("{}", "/name", "required"), (#"{"name": "a", "limit": 10001}"#, "/limit", "maximum")]
        ),
    ]
}
