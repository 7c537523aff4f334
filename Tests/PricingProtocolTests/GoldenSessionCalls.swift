extension GoldenCall {
    static let session: [GoldenCall] = [
        takesNothing("rpc.discover"),
        takesNothing("session.ping"),
        GoldenCall(
            "session.hello",
            [
                "{}",
                #"{"protocol": {"min": 1, "max": 1}, "client": {"name": "a", "version": "1"}}"#,
                #"{"client": {"name": "a"}}"#,
            ],
            [
                (#"{"protocol": {"min": 1}}"#, "/protocol/max", "required"),
                (#"{"protocol": 1}"#, "/protocol", "type"),
                (#"{"client": {"name": ""}}"#, "/client/name", "length"),
                (#"{"client": {"name": "a", "os": "b"}}"#, "/client/os", "unknown"),
            ]
        ),
    ]
}
