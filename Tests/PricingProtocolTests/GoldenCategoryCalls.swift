extension GoldenCall {
    static let category: [GoldenCall] = [
        takesPage("category.list"),
        GoldenCall(
            "category.create",
            [#"{"name": "Tea"}"#, #"{"name": "Tea", "description": ""}"#],
            [
                ("{}", "/name", "required"), (#"{"name": ""}"#, "/name", "length"),
                (#"{"name": "Tea\u0000"}"#, "/name", "characters"),
                (#"{"name": "Tea", "description": "\u0000"}"#, "/description", "characters"),
            ]
        ),
    ]
}
