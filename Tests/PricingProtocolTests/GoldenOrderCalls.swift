extension GoldenCall {
    static let order: [GoldenCall] = [
        GoldenCall(
            "order.place",
            [
                #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1}]}"#,
                #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1, "maxUnitPrice": "5.00"}], "shippingAddress": "a\nb"}"#,
            ],
            [
                (#"{"lines": [{"productId": 1, "quantity": 1}]}"#, "/customerId", "required"),
                (#"{"customerId": 1, "lines": []}"#, "/lines", "length"),
                (#"{"customerId": 1, "lines": {}}"#, "/lines", "type"),
                (#"{"customerId": 1, "lines": [{"productId": 1}]}"#, "/lines/0/quantity", "required"),
                (#"{"customerId": 1, "lines": [{"productId": 1, "quantity": 0}]}"#, "/lines/0/quantity", "minimum"),
                (#"{"customerId": 1, "lines": [{"productId": 1, "quantity": -3}]}"#, "/lines/0/quantity", "minimum"),
                (
                    #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1}, {"productId": 1, "quantity": "2"}]}"#,
                    "/lines/1/quantity", "type"
                ),
                (
                    #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1, "unitPrice": "1"}]}"#,
                    "/lines/0/unitPrice", "unknown"
                ),
            ]
        ),
        takesID("order.get", "orderId"),
        takesID("order.cancel", "orderId"),
        takesID("order.history", "orderId"),
        GoldenCall(
            "order.return",
            [
                #"{"orderId": 1}"#,
                #"{"orderId": 1, "lines": [{"productId": 1, "quantity": 1}], "restock": false, "reason": "broken"}"#,
            ],
            [
                (#"{"lines": [{"productId": 1, "quantity": 1}]}"#, "/orderId", "required"),
                (#"{"orderId": 1, "lines": []}"#, "/lines", "length"),
                (#"{"orderId": 1, "lines": [{"productId": 1, "quantity": 0}]}"#, "/lines/0/quantity", "minimum"),
                (#"{"orderId": 1, "restock": "no"}"#, "/restock", "type"),
            ]
        ),
        takesPage(
            "order.list",
            [
                #"{"customerId": 1, "status": "pending"}"#,
                #"{"productId": 1, "search": "ada", "from": "2026-01-01T00:00:00Z", "sort": "-total"}"#,
            ]
        ),
        GoldenCall(
            "order.advance",
            [#"{"orderId": 1, "status": "processing"}"#],
            [
                (#"{"orderId": 1}"#, "/status", "required"),
                (#"{"orderId": 1, "status": "lost"}"#, "/status", "choice"),
            ]
        ),
    ]
}
