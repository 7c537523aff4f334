extension GoldenCall {
    static let category: [GoldenCall] = [
        takesPage("category.list"),
        takesID("category.update", "categoryId", [(#"{"categoryId": 1, "name": ""}"#, "/name", "length")]),
        takesID("category.delete", "categoryId"),
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
