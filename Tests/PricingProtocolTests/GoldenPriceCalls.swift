extension GoldenCall {
    static let price: [GoldenCall] = [
        GoldenCall(
            "price.get",
            [#"{"productIds": [1, 2, 2]}"#],
            [
                (#"{"productIds": []}"#, "/productIds", "length"),
                (#"{"productIds": [1, 0]}"#, "/productIds/1", "minimum"),
                (#"{"productIds": 1}"#, "/productIds", "type"),
            ]
        ),
        takesID(
            "price.history",
            "productId",
            [(#"{"productId": 1, "from": "2031-02-29T00:00:00Z"}"#, "/from", "format")]
        ),
        takesPage(
            "price.changes",
            [#"{"from": "2031-01-01T00:00:00Z", "cause": "tick", "actor": "a", "ruleId": 1, "productIds": [1]}"#]
        ),
        GoldenCall(
            "price.changes",
            [#"{"direction": "down", "categoryId": 1, "bindingGuard": "floor"}"#],
            [
                (#"{"direction": "sideways"}"#, "/direction", "choice"),
                (#"{"productIds": []}"#, "/productIds", "length"),
            ]
        ),
        GoldenCall(
            "price.rollback",
            [
                #"{"to": "2031-01-01T20:00:00Z", "all": true, "seen": 0, "reason": "a wrong file"}"#,
                #"{"priceChangeIds": [1, 2], "hold": "2031-01-02T00:00:00Z", "cause": "tick", "actor": "tick"}"#,
            ],
            [
                (#"{"to": "yesterday", "all": true}"#, "/to", "format"),
                (#"{"priceChangeIds": []}"#, "/priceChangeIds", "length"),
                (#"{"to": "2031-01-01T20:00:00Z", "all": "yes"}"#, "/all", "type"),
                (#"{"to": "2031-01-01T20:00:00Z", "all": true, "seen": -1}"#, "/seen", "minimum"),
            ]
        ),
        takesID("price.why", "productId"),
        takesID(
            "price.preview",
            "productId",
            [
                (#"{"productId": 1, "stock": 2147483648}"#, "/stock", "maximum"),
                (#"{"productId": 1, "at": "tomorrow"}"#, "/at", "format"),
                (#"{"productId": 1, "rule": 0}"#, "/rule", "minimum"),
                (#"{"productId": 1, "basePrice": "0.00"}"#, "/basePrice", "minimum"),
            ]
        ),
        takesID("price.unpin", "productId"),
        GoldenCall(
            "price.pin",
            [
                #"{"productId": 1, "price": "9.99"}"#,
                #"{"productId": 1, "price": "9", "until": "2031-01-01T00:00:00+02:00"}"#,
            ],
            [
                (#"{"productId": 1}"#, "/price", "required"),
                (#"{"productId": 1, "price": "9.999"}"#, "/price", "format"),
                (#"{"productId": 1, "price": null}"#, "/price", "type"),
                (#"{"productId": 1, "price": "9", "until": "2031-01-01"}"#, "/until", "format"),
            ]
        ),
    ]
}
