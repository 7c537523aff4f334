extension GoldenCall {
    static let session: [GoldenCall] = [
        GoldenCall(
            "rpc.discover",
            ["{}", #"{"method": "product.get"}"#],
            [(#"{"method": 1}"#, "/method", "type"), (#"{"names": []}"#, "/names", "unknown")]
        ),
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
