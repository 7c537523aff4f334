extension GoldenCall {
    static let server: [GoldenCall] = [
        takesNothing("server.status"),
        GoldenCall(
            "server.explain",
            [#"{"reason": "INSUFFICIENT_STOCK"}"#],
            [("{}", "/reason", "required"), (#"{"reason": "insufficient_stock"}"#, "/reason", "choice")]
        ),
        takesNothing("server.requests"),
        takesNothing("server.metrics"),
        GoldenCall("server.cancel", [#"{"request": 3}"#], [("{}", "/request", "required")]),
        GoldenCall(
            "server.drain",
            ["{}", #"{"timeoutMs": 0}"#],
            [(#"{"timeoutMs": -1}"#, "/timeoutMs", "minimum")]
        ),
        GoldenCall(
            "server.resolve",
            [#"{"kind": "product", "text": "mug", "limit": 1}"#, #"{"kind": "supplier", "text": "a"}"#],
            [
                (#"{"text": "mug"}"#, "/kind", "required"), (#"{"kind": "mug", "text": "a"}"#, "/kind", "choice"),
                (#"{"kind": "order", "text": ""}"#, "/text", "length"),
            ]
        ),
        GoldenCall(
            "server.complete",
            [#"{"method": "product.get", "param": "productId", "prefix": "", "limit": 5}"#],
            [(#"{"method": "product.get"}"#, "/param", "required")]
        ),
    ]
}
