/// One method's parameters as they come over the wire: such that fit, and such that do not, each with its violation.
struct GoldenCall: Sendable {
    let method: String
    let fits: [String]
    let breaks: [Broken]

    /// Parameters that do not fit, and the one violation that they must give.
    struct Broken: Sendable {
        let params: String
        let path: String
        let rule: String
    }

    init(_ method: String, _ fits: [String], _ breaks: [(params: String, path: String, rule: String)]) {
        self.method = method
        self.fits = fits
        self.breaks = breaks.map { Broken(params: $0.params, path: $0.path, rule: $0.rule) }
    }

    private static func takesNothing(_ method: String) -> GoldenCall {
        GoldenCall(method, ["{}"], [(#"{"x": 1}"#, "/x", "unknown")])
    }

    static func takesPage(_ method: String, _ fits: [String] = []) -> GoldenCall {
        GoldenCall(
            method,
            ["{}", #"{"limit": 500, "cursor": "7"}"#] + fits,
            [
                (#"{"limit": 0}"#, "/limit", "minimum"), (#"{"limit": 501}"#, "/limit", "maximum"),
                (#"{"limit": 10.0}"#, "/limit", "type"), (#"{"cursor": ""}"#, "/cursor", "length"),
                (#"{"cursor": 7}"#, "/cursor", "type"),
            ]
        )
    }

    static func takesID(
        _ method: String,
        _ name: String,
        _ more: [(params: String, path: String, rule: String)] = []
    ) -> GoldenCall {
        GoldenCall(
            method,
            [#"{"\#(name)": 1}"#, #"{"\#(name)": 9007199254740992}"#],
            [
                ("{}", "/\(name)", "required"), (#"{"\#(name)": 0}"#, "/\(name)", "minimum"),
                (#"{"\#(name)": -1}"#, "/\(name)", "minimum"), (#"{"\#(name)": "1"}"#, "/\(name)", "type"),
                (#"{"\#(name)": null}"#, "/\(name)", "type"),
                (#"{"\#(name)": 9007199254740993}"#, "/\(name)", "maximum"),
                (#"{"\#(name)": 18446744073709551617}"#, "/\(name)", "type"),
                (#"{"\#(name)": 1, "a/b~c": 1}"#, "/a~1b~0c", "unknown"),
                (#"{"\#(name)": 1, "a/\u0301b": 1}"#, "/a~1\u{301}b", "unknown"),
            ] + more
        )
    }

    static let all: [GoldenCall] =
        session + catalogue + stockAndPrices + proofs + ordersAndUsers + reports + operations + laboratory

    private static let session: [GoldenCall] = [
        takesNothing("rpc.discover"), takesNothing("session.ping"), takesNothing("server.status"),
        GoldenCall(
            "session.hello",
            [
                "{}",
                #"{"protocol": {"min": 1, "max": 1}, "client": {"name": "a", "version": "1"}}"#,
                #"{"client": {"name": "a"}}"#,
            ],
            [
                (#"{"protocol": {"min": 1}}"#, "/protocol/max", "required"),
                (#"{"protocol": 1}"#, "/protocol", "type"),
                (#"{"client": {"name": ""}}"#, "/client/name", "length"),
                (#"{"client": {"name": "a", "os": "b"}}"#, "/client/os", "unknown"),
            ]
        ),
        GoldenCall(
            "server.explain",
            [#"{"reason": "INSUFFICIENT_STOCK"}"#],
            [("{}", "/reason", "required"), (#"{"reason": "insufficient_stock"}"#, "/reason", "choice")]
        ),
        takesNothing("clock.get"),
        GoldenCall(
            "clock.set",
            [#"{"at": "2031-01-01T00:00:00Z"}"#],
            [("{}", "/at", "required"), (#"{"at": "tomorrow"}"#, "/at", "format"), (#"{"at": 0}"#, "/at", "type")]
        ),
        GoldenCall(
            "events.subscribe",
            [
                "{}",
                #"{"topics": ["price", "stock"], "productIds": [1], "from": 0, "snapshot": true, "overflow": "gap"}"#,
            ],
            [
                (#"{"topics": []}"#, "/topics", "length"), (#"{"topics": ["weather"]}"#, "/topics/0", "choice"),
                (#"{"from": -1}"#, "/from", "minimum"), (#"{"overflow": "block"}"#, "/overflow", "choice"),
            ]
        ),
        GoldenCall("events.unsubscribe", [#"{"subscription": "s1"}"#], [("{}", "/subscription", "required")]),
        takesPage("events.list", [#"{"from": 12, "topics": ["order"]}"#]),
    ]

    private static let catalogue: [GoldenCall] = [
        takesPage("category.list"), takesPage("supplier.list"),
        GoldenCall(
            "category.create",
            [#"{"name": "Tea"}"#, #"{"name": "Tea", "description": ""}"#],
            [
                ("{}", "/name", "required"), (#"{"name": ""}"#, "/name", "length"),
                (#"{"name": "Tea\u0000"}"#, "/name", "characters"),
                (#"{"name": "Tea", "description": "\u0000"}"#, "/description", "characters"),
            ]
        ),
        takesID("supplier.get", "supplierId"), takesID("supplier.delete", "supplierId"),
        GoldenCall(
            "supplier.create",
            [
                #"{"companyName": "A"}"#,
                #"{"companyName": "A", "contactEmail": null, "taxNumber": "1", "address": ""}"#,
            ],
            [("{}", "/companyName", "required"), (#"{"companyName": "A", "taxNumber": ""}"#, "/taxNumber", "length")]
        ),
        takesID(
            "supplier.update",
            "supplierId",
            [(#"{"supplierId": 1, "companyName": null}"#, "/companyName", "type")]
        ),
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
        takesID("product.get", "productId"), takesID("product.archive", "productId"),
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
    ]

    private static let stockAndPrices: [GoldenCall] = [
        takesID("inventory.get", "productId"), takesPage("inventory.lowStock"),
        takesPage("inventory.list", [#"{"level": "LOW"}"#]),
        GoldenCall("inventory.list", [], [(#"{"level": "low"}"#, "/level", "choice")]),
        takesID("inventory.movements", "productId"), takesID("inventory.unexpect", "expectationId"),
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
        takesPage("rule.list", [#"{"status": "draft"}"#]), takesID("rule.get", "ruleId"),
        GoldenCall(
            "rule.create",
            [
                #"{"name": "a", "strategy": "bands"}"#,
                #"{"name": "a", "strategy": "learn", "parameters": {"coverDays": 14, "cooldownSeconds": 3600}}"#,
                #"{"name": "a", "strategy": "markdown", "parameters": {"neverUp": true}}"#,
                #"{"name": "a", "strategy": "manual", "preset": "agile", "parameters": {"up": 0.2, "down": 0, "dailyCap": null}}"#,
            ],
            [
                (#"{"name": "a"}"#, "/strategy", "required"),
                (#"{"name": "a", "strategy": "magic"}"#, "/strategy", "choice"),
                (
                    #"{"name": "a", "strategy": "cover", "parameters": {"coverDays": 0}}"#, "/parameters/coverDays",
                    "minimum"
                ),
                (#"{"name": "a", "strategy": "bands", "parameters": {"up": 1.01}}"#, "/parameters/up", "maximum"),
                (#"{"name": "a", "strategy": "bands", "parameters": {"up": 1e400}}"#, "/parameters/up", "maximum"),
                (#"{"name": "a", "strategy": "bands", "parameters": {"up": "0.1"}}"#, "/parameters/up", "type"),
                (
                    #"{"name": "a", "strategy": "bands", "parameters": {"dailyCap": 0}}"#, "/parameters/dailyCap",
                    "minimum"
                ),
                (#"{"name": "a", "strategy": "bands", "parameters": {"speed": 1}}"#, "/parameters/speed", "unknown"),
            ]
        ),
        takesID("rule.retire", "ruleId"),
        takesID("rule.activate", "ruleId", [(#"{"ruleId": 1, "productIds": []}"#, "/productIds", "length")]),
    ]

    private static let ordersAndUsers: [GoldenCall] = [
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
        takesID("order.get", "orderId"), takesID("order.cancel", "orderId"), takesID("order.return", "orderId"),
        takesPage("order.list", [#"{"customerId": 1, "status": "pending"}"#]),
        GoldenCall(
            "order.advance",
            [#"{"orderId": 1, "status": "processing"}"#],
            [
                (#"{"orderId": 1}"#, "/status", "required"),
                (#"{"orderId": 1, "status": "lost"}"#, "/status", "choice"),
            ]
        ),
        takesPage("user.list", [#"{"search": "a", "role": "seller"}"#]),
        takesID("user.get", "userId"), takesID("user.delete", "userId"),
        GoldenCall(
            "user.create",
            [
                #"{"fullName": "A", "email": "a@b"}"#,
                #"{"fullName": "A", "email": "a@b", "phoneNumber": null, "password": "12345678"}"#,
            ],
            [
                (#"{"fullName": "A"}"#, "/email", "required"),
                (#"{"fullName": "A", "email": "a@"}"#, "/email", "length"),
                (#"{"fullName": "A", "email": "a@b", "role": "root"}"#, "/role", "choice"),
                (#"{"fullName": "A", "email": "a@b", "password": "1234567"}"#, "/password", "length"),
                (#"{"fullName": "A\u202eB", "email": "a@b"}"#, "/fullName", "characters"),
                (#"{"fullName": "A", "email": "a@b", "passwordHash": "x"}"#, "/passwordHash", "unknown"),
            ]
        ),
        takesID("user.update", "userId", [(#"{"userId": 1, "email": null}"#, "/email", "type")]),
        GoldenCall(
            "user.authenticate",
            [#"{"email": "a@b", "password": "x"}"#],
            [(#"{"email": "a@b"}"#, "/password", "required")]
        ),
    ]

    private static let operations: [GoldenCall] = [
        takesNothing("server.requests"), takesNothing("server.metrics"),
        GoldenCall("server.cancel", [#"{"request": 3}"#], [("{}", "/request", "required")]),
        GoldenCall(
            "server.drain",
            ["{}", #"{"timeoutMs": 0}"#],
            [(#"{"timeoutMs": -1}"#, "/timeoutMs", "minimum")]
        ),
        GoldenCall(
            "server.complete",
            [#"{"method": "product.get", "param": "productId", "prefix": "", "limit": 5}"#],
            [(#"{"method": "product.get"}"#, "/param", "required")]
        ),
        GoldenCall(
            "product.import",
            [#"{"rows": [{"title": "a"}], "mode": "perRow"}"#],
            [(#"{"rows": []}"#, "/rows", "length"), (#"{"rows": [{}], "mode": "all"}"#, "/mode", "choice")]
        ),
    ]

    private static let reports: [GoldenCall] =
        ["stats", "categoryDistribution", "supplierRevenue", "monthlyRevenue"]
        .map { takesNothing("dashboard.\($0)") } + [
            GoldenCall("dashboard.vipUsers", [#"{"limit": 3}"#], [(#"{"limit": 0}"#, "/limit", "minimum")]),
            GoldenCall("dashboard.lowStock", [#"{"limit": 3}"#], [(#"{"limit": 501}"#, "/limit", "maximum")]),
            GoldenCall(
                "dashboard.priceTrends",
                ["{}", #"{"days": 7, "productId": 1}"#],
                [(#"{"days": 0}"#, "/days", "minimum"), (#"{"days": 367}"#, "/days", "maximum")]
            ),
            takesNothing("report.list"),
            GoldenCall(
                "data.generate",
                ["{}", #"{"users": 0, "suppliers": 0, "products": 0, "orders": 0, "seed": 7, "clear": true}"#],
                [(#"{"orders": -1}"#, "/orders", "minimum"), (#"{"clear": 1}"#, "/clear", "type")]
            ),
        ]
}
