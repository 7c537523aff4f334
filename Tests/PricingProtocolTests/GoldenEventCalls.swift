extension GoldenCall {
    static let events: [GoldenCall] = [
        GoldenCall(
            "events.subscribe",
            [
                "{}",
                #"{"topics": ["price", "stock"], "productIds": [1], "from": 0, "snapshot": true, "overflow": "gap"}"#,
            ],
            [
                (#"{"topics": []}"#, "/topics", "length"), (#"{"topics": ["weather"]}"#, "/topics/0", "choice"),
                (#"{"from": -1}"#, "/from", "minimum"), (#"{"overflow": "block"}"#, "/overflow", "choice"),
            ]
        ),
        GoldenCall("events.unsubscribe", [#"{"subscription": "s1"}"#], [("{}", "/subscription", "required")]),
        takesPage("events.list", [#"{"from": 12, "topics": ["order"]}"#]),
    ]
}
