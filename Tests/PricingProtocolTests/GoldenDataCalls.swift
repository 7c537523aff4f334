extension GoldenCall {
    static let data: [GoldenCall] = [
        GoldenCall(
            "data.generate",
            ["{}", #"{"users": 0, "suppliers": 0, "products": 0, "orders": 0, "seed": 7, "clear": true}"#],
            [(#"{"orders": -1}"#, "/orders", "minimum"), (#"{"clear": 1}"#, "/clear", "type")]
        )
    ]
}
