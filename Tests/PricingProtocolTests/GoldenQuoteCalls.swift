extension GoldenCall {
    private static let lines = #""lines": [{"productId": 1, "quantity": 2}]"#

    static let quote: [GoldenCall] = [
        GoldenCall(
            "quote.create",
            [
                #"{"customerId": 1, \#(lines)}"#,
                #"{"customerEmail": "a@b.example", "lines": [{"sku": "A-1", "quantity": 1}], "ttlSeconds": 86400}"#,
                #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 1, "maxUnitPrice": "9.90"}]}"#,
            ],
            [
                (#"{\#(lines)}"#, "/customerId", "required"), (#"{"customerId": 1}"#, "/lines", "required"),
                (#"{"customerId": 1, "lines": []}"#, "/lines", "length"),
                (#"{"customerId": 1, \#(lines), "ttlSeconds": 0}"#, "/ttlSeconds", "minimum"),
                (#"{"customerId": 1, \#(lines), "ttlSeconds": 86401}"#, "/ttlSeconds", "maximum"),
                (
                    #"{"customerId": 1, "lines": [{"productId": 1, "quantity": 0}]}"#, "/lines/0/quantity", "minimum"
                ),
            ]
        ),
        takesID("quote.get", "quoteId"),
        takesPage("quote.list", [#"{"customerId": 1, "status": "open"}"#, #"{"productId": 1}"#]),
        takesID("quote.extend", "quoteId"),
        takesID("quote.release", "quoteId"),
    ]
}
