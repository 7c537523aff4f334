extension GoldenCall {
    static let pricing: [GoldenCall] = [
        takesPage("pricing.halts", [#"{"open": true}"#]),
        GoldenCall(
            "pricing.halt",
            [#"{"scope": "all", "reason": "stock count"}"#, #"{"categoryId": 1, "reason": "a"}"#],
            [
                (#"{"scope": "all"}"#, "/reason", "required"),
                (#"{"scope": "shop", "reason": "a"}"#, "/scope", "choice"),
                (#"{"scope": "all", "reason": ""}"#, "/reason", "length"),
            ]
        ),
        GoldenCall(
            "pricing.resume",
            [#"{"scope": "productId", "productId": 1, "reason": "counted"}"#],
            [(#"{"scope": "all"}"#, "/reason", "required")]
        ),
    ]
}
