extension GoldenCall {
    static let clock: [GoldenCall] = [
        takesNothing("clock.get"),
        GoldenCall(
            "clock.set",
            [#"{"at": "2031-01-01T00:00:00Z"}"#],
            [("{}", "/at", "required"), (#"{"at": "tomorrow"}"#, "/at", "format"), (#"{"at": 0}"#, "/at", "type")]
        ),
    ]
}
