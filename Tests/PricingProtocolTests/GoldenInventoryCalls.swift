extension GoldenCall {
    static let inventory: [GoldenCall] = [
        GoldenCall(
            "inventory.count",
            [#"{"rows": [{"sku": "A", "stock": 0}, {"productId": 1, "stock": 5}], "reason": "May"}"#],
            [
                (#"{"rows": []}"#, "/rows", "length"), (#"{"rows": [{"stock": 5}]}"#, "/rows/0/productId", "required"),
                (#"{"rows": [{"sku": "A"}]}"#, "/rows/0/stock", "required"),
                (#"{"rows": [{"sku": "A", "productId": 1, "stock": 1}]}"#, "/rows/0/sku", "oneOf"),
                (#"{"rows": [{"sku": "A", "stock": -1}]}"#, "/rows/0/stock", "minimum"),
            ]
        ),
        takesID("inventory.get", "productId"),
        takesPage("inventory.lowStock"),
        takesPage("inventory.list", [#"{"level": "LOW"}"#]),
        GoldenCall("inventory.list", [], [(#"{"level": "low"}"#, "/level", "choice")]),
        takesID("inventory.movements", "productId"),
        takesID("inventory.unexpect", "expectationId"),
        takesPage("inventory.expectations", [#"{"productId": 1}"#]),
        GoldenCall(
            "inventory.expect",
            [
                #"{"productId": 1, "quantity": 40, "eta": "2031-01-01T00:00:00Z", "reason": "order 7"}"#,
                #"{"expectationId": 3, "quantity": 50}"#, #"{"expectationId": 3, "eta": "2031-01-01T00:00:00Z"}"#,
            ],
            [
                (#"{"productId": 1, "quantity": 0, "eta": "2031-01-01T00:00:00Z"}"#, "/quantity", "minimum"),
                (#"{"productId": 1, "quantity": 1, "eta": "soon"}"#, "/eta", "format"),
            ]
        ),
        GoldenCall(
            "inventory.restock",
            [
                #"{"productId": 1, "quantity": 1}"#,
                #"{"productId": 1, "quantity": 1000000000, "expectationId": 3, "reason": "delivery"}"#,
            ],
            [
                (#"{"productId": 1}"#, "/quantity", "required"),
                (#"{"productId": 1, "quantity": 0}"#, "/quantity", "minimum"),
                (#"{"productId": 1, "quantity": 1000000001}"#, "/quantity", "maximum"),
                (#"{"productId": 1, "quantity": 1.5}"#, "/quantity", "type"),
                (#"{"productId": 1, "quantity": 1, "reason": "a\nb"}"#, "/reason", "characters"),
            ]
        ),
        GoldenCall(
            "inventory.adjust",
            [#"{"productId": 1, "quantity": -5}"#],
            [(#"{"productId": 1, "quantity": -1000000001}"#, "/quantity", "minimum")]
        ),
    ]
}
