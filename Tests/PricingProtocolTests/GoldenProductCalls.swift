extension GoldenCall {
    static let product: [GoldenCall] = [
        takesPage(
            "product.list",
            [
                #"{"search": "%_", "categoryId": 1, "supplierId": 1, "active": true, "minPrice": "0", "maxPrice": "9.5"}"#,
                #"{"minStock": 0, "maxStock": 5, "sort": "-price"}"#,
            ]
        ),
        GoldenCall(
            "product.list",
            [],
            [
                (#"{"sort": "cost"}"#, "/sort", "choice"),
                (#"{"sort": "price; drop table product"}"#, "/sort", "choice"),
                (#"{"minPrice": 5}"#, "/minPrice", "type"), (#"{"active": "yes"}"#, "/active", "type"),
            ]
        ),
        takesPage(
            "product.browse",
            [#"{"search": "%_", "categoryId": 1, "sort": "-price"}"#, #"{"productIds": [1, 2]}"#]
        ),
        GoldenCall("product.browse", [], [(#"{"sort": "stock"}"#, "/sort", "choice")]),
        takesID("product.offer", "productId"),
        takesID("product.timeline", "productId", [(#"{"productId": 1, "points": 2001}"#, "/points", "maximum")]),
        GoldenCall(
            "price.curve",
            [
                #"{"productId": 1, "fromStock": 0, "toStock": 100, "points": 500}"#,
                #"{"sku": "A", "fromStock": 0, "toStock": 0}"#,
            ],
            [
                (#"{"productId": 1, "fromStock": 0}"#, "/toStock", "required"),
                (#"{"productId": 1, "fromStock": -1, "toStock": 1}"#, "/fromStock", "minimum"),
            ]
        ),
        takesID("product.get", "productId"),
        takesID("product.archive", "productId"),
        takesID("product.restore", "productId"),
        takesID("product.history", "productId", [(#"{"productId": 1, "limit": 0}"#, "/limit", "minimum")]),
        GoldenCall(
            "product.create",
            [
                #"{"title": "Mug", "basePrice": "12.50", "categoryId": 1}"#,
                #"{"title": "M", "basePrice": "0.01", "categoryId": 1, "stock": 0, "supplierId": null, "unitCost": "0.00"}"#,
                #"{"title": "M", "basePrice": "1", "categoryId": 1, "floor": "1", "ceiling": "2", "lowStock": 0, "highStock": 3}"#,
            ],
            [
                (#"{"title": "Mug", "categoryId": 1}"#, "/basePrice", "required"),
                (#"{"title": "Mug", "basePrice": 12.5, "categoryId": 1}"#, "/basePrice", "type"),
                (#"{"title": "Mug", "basePrice": "0.00", "categoryId": 1}"#, "/basePrice", "minimum"),
                (#"{"title": "Mug", "basePrice": "-1", "categoryId": 1}"#, "/basePrice", "minimum"),
                (#"{"title": "Mug", "basePrice": "10000000000", "categoryId": 1}"#, "/basePrice", "maximum"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "floor": "0"}"#, "/floor", "minimum"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "lowStock": null}"#, "/lowStock", "type"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "stock": -1}"#, "/stock", "minimum"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "price": "1"}"#, "/price", "unknown"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "elasticity": 0}"#, "/elasticity", "minimum"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "refRate": 0}"#, "/refRate", "minimum"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "decay": 1.5}"#, "/decay", "maximum"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "unitValue": "-1"}"#, "/unitValue", "minimum"),
                (#"{"title": "Mug", "basePrice": "1", "categoryId": 1, "seasonEnd": "May"}"#, "/seasonEnd", "format"),
                (
                    #"{"title": "Mug", "basePrice": "1", "categoryId": 1, "seasonProfile": []}"#, "/seasonProfile",
                    "length"
                ),
            ]
        ),
        takesID(
            "product.update",
            "productId",
            [
                (#"{"productId": 1, "floor": null}"#, "/floor", "type"),
                (#"{"productId": 1, "stock": 5}"#, "/stock", "unknown"),
                (#"{"productId": 1, "version": 0}"#, "/version", "minimum"),
            ]
        ),
        GoldenCall(
            "product.import",
            [#"{"rows": [{"title": "a"}], "mode": "perRow", "createMissing": true, "rule": "manual"}"#],
            [(#"{"rows": []}"#, "/rows", "length"), (#"{"rows": [{}], "mode": "all"}"#, "/mode", "choice")]
        ),
    ]
}
