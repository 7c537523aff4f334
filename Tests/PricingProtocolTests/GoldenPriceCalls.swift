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
        takesID("price.why", "productId"),
        takesID(
            "price.preview",
            "productId",
            [
                (#"{"productId": 1, "stock": 2147483648}"#, "/stock", "maximum"),
                (#"{"productId": 1, "at": "tomorrow"}"#, "/at", "format"),
                (#"{"productId": 1, "rule": 0}"#, "/rule", "minimum"),
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
