import JSON
import JSONRPC
import PricingProtocol
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What makes two requests, two people, two numbers and two names the same.
    @Suite
    struct IdentityTests {
        // MARK: cursors

        private static let paged = AllMethods.list.filter { method in
            method.parameters.fields.contains { $0.name == "cursor" }
        }

        /// The violation's path; the reason where there is none.
        private func path(_ error: RPCError) -> String {
            error.data["violations"]?.array?.first?["path"]?.string ?? error.reason
        }

        /// Two rows at least in every list of the demo shop but the audit's, which finds nothing.
        private func fill(_ client: TestClient) async throws {
            for quantity: JSONValue in [3, 4] {
                let expected: JSONObject = ["productId": 5, "quantity": quantity, "eta": "2199-01-01T00:00:00Z"]
                _ = try await client.call("inventory.expect", expected)
                _ = try await client.call("inventory.restock", ["productId": 5, "quantity": quantity])
                _ = try await client.call("pricing.halt", ["categoryId": quantity, "reason": "test"])
                _ = try await client.call("inventory.adjust", ["productId": quantity, "quantity": -1])
            }
            for price: JSONValue in ["3500.00", "3600.00"] {
                _ = try await client.call("price.pin", ["productId": 5, "price": price])
            }
            let campaign = try #require(AllMethods.byName["campaign.create"])
            _ = try await client.call(campaign.name, campaign.example)
            let line: JSONValue = ["productId": 1, "quantity": 1]
            _ = try await client.call("quote.create", ["customerId": 4, "lines": [line]])
            let user = try await client.call("user.update", ["userId": 1, "password": "correct horse"])
            for _ in 0..<2 {
                _ = try await client.call("login.open", ["email": user["email"] ?? .null, "password": "correct horse"])
            }
        }

        /// A thing of the demo shop for each name that stands in the place of an id: a name of nothing is refused first.
        private static let named: JSONObject = [
            "sku": "EL-MOUSE", "skus": ["EL-MOUSE"], "customerEmail": "chloe.evans@mail.example",
        ]

        private func request(_ method: PricingProtocol.Method) -> JSONObject {
            let wanted: JSONObject = ["productId": 5, "userId": 1]
            return JSONObject(
                wanted.filter { id in method.parameters.fields.contains { $0.name == id.key && $0.isRequired } }
            )
        }

        @Test func `a cursor leads on in its own list under its own request, and is refused everywhere else`()
            async throws
        {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let client = try await daemon.client()
            try await fill(client)
            var cursors: [String: JSONValue] = [:]
            for method in Self.paged where method.name != "audit.verify" {
                var params = request(method)
                params["limit"] = 1
                let first = try await client.call(method.name, params)
                params["cursor"] = first["nextCursor"]
                params["limit"] = 2
                let second = try await client.call(method.name, params)
                #expect(first["items"]?.array?.first != second["items"]?.array?.first, "\(method.name)")
                #expect(second["items"]?.array?.isEmpty == false, "\(method.name)")
                cursors[method.name] = first["nextCursor"]
            }
            #expect(Self.paged.count > 14)
            let nonsense: [JSONValue] = [
                "null", "{}", "[]", "[1e400,1]", "[1]", "1", "-1", "abc", "AAAA", "=", "\u{e9}", "[\"12.00\",1000]",
                "AAAAAAAAAAAAAAAAWyJcdTAwMDAiXQ", "AAAAAAAAAAAAAAAA_w", .string(String(repeating: "A", count: 2000)),
            ]
            for method in Self.paged {
                var wrong = nonsense + cursors.filter { $0.key != method.name }.map(\.value)
                if let text = cursors[method.name]?.string {
                    let other = text.hasPrefix("A") ? "B" : "A"
                    wrong += [.string(text + "A"), .string(String(text.dropLast())), .string(other + text.dropFirst())]
                    wrong += [.string(text.lowercased()), .string(text + "=")]
                }
                for cursor in wrong {
                    var params = request(method)
                    params["cursor"] = cursor
                    let refusal = try await client.refusal(method.name, params)
                    #expect(path(refusal) == "/cursor", "\(method.name) \(cursor): \(refusal)")
                }
                let others = method.parameters.fields.filter {
                    !["cursor", "limit", "productId", "userId"].contains($0.name)
                }
                for field in others where cursors[method.name] != nil {
                    var params = request(method)
                    if let id = field.standsFor { params[id] = nil }
                    params[field.name] = Self.named[field.name] ?? field.schema.sample
                    params["cursor"] = cursors[method.name]
                    let refusal = try await client.refusal(method.name, params)
                    #expect(path(refusal) == "/cursor", "\(method.name) with another \(field.name): \(refusal)")
                }
            }
            let byPrice = try await client.call("product.list", ["sort": "price", "limit": 1])["nextCursor"]
            for sort: JSONValue in ["-price", "title", "productId", "stock"] {
                let params = JSONObject([("sort", sort), ("cursor", byPrice ?? .null)])
                #expect(path(try await client.refusal("product.list", params)) == "/cursor")
            }
            _ = await daemon.stop()
            try await daemon.restart()
            let after = try await daemon.client()
            let lasting = JSONObject([("sort", "price"), ("cursor", byPrice ?? .null)])
            #expect(try await after.call("product.list", lasting)["items"]?.array?.count == 19)
        }

        // MARK: passwords

        @Test func `a password counts by its bytes, whole and composed, and its change belongs to its key`()
            async throws
        {
            let client = try await TestDaemon.shared().client()
            let number = ShopClient.unique()
            func email(_ name: String) -> JSONValue { .string("\(name)\(number)@identity.example") }
            func create(_ name: String, _ password: String, key: String? = nil) -> JSONObject {
                var params: JSONObject = ["fullName": "A", "email": email(name), "password": .string(password)]
                if let key { params["_meta"] = ["idempotencyKey": .string(key)] }
                return params
            }
            func signsIn(_ name: String, _ password: String) async throws -> Bool {
                let given: JSONObject = ["email": email(name), "password": .string(password)]
                do {
                    return try await client.call("user.authenticate", given)["userId"] != nil
                } catch let error as RPCError {
                    #expect(error.reason == "BAD_CREDENTIALS")
                    return false
                }
            }
            let most = String(repeating: "\u{15F}", count: 36)  // ş, 2 bytes each
            let apart = String(repeating: "s\u{327}", count: 36)
            let made = try await client.call("user.create", create("most", apart))
            let id = try #require(made["userId"])
            for (password, opens) in [
                (most, true), (apart, true), (most + "B", false), (most + "A", false), (String(most.dropLast()), false),
                (String(repeating: "x", count: 50_000), false), ("", false),
            ] { #expect(try await signsIn("most", password) == opens, "\(password.utf8.count) bytes") }
            for password in [
                most + "A", apart + "A", "1234567", "\u{e9}\u{e9}\u{e9}", "", String(repeating: "x", count: 73),
            ] {
                let refusals = [
                    try await client.refusal("user.create", create("none", password)),
                    try await client.refusal("user.update", ["userId": id, "password": .string(password)]),
                ]
                for refusal in refusals {
                    #expect(path(refusal) == "/password", "\(password.utf8.count) bytes: \(refusal)")
                }
            }
            let key = "identity \(number)"
            func change(_ password: String) -> JSONObject {
                ["userId": id, "password": .string(password), "_meta": ["idempotencyKey": .string(key)]]
            }
            _ = try await client.call("user.update", change("the first \u{e9}"))
            #expect(try await client.refusal("user.update", change("the second")).reason == "IDEMPOTENCY_CONFLICT")
            let again = try await client.call("user.update", change("the first e\u{301}"))
            #expect(again["_meta"]?["replayed"] == true)
            #expect(try await signsIn("most", "the first \u{e9}"))
            #expect(try await !signsIn("most", "the second"))
            _ = try await client.call("user.create", create("keyed", "the first", key: key + "c"))
            let other = try await client.refusal("user.create", create("keyed", "the second", key: key + "c"))
            #expect(other.reason == "IDEMPOTENCY_CONFLICT")
        }

        // MARK: numbers, names, search

        @Test func `a telephone number is what is dialled, kept as it was typed`() async throws {
            let client = try await TestDaemon.shared().client()
            func create(_ phone: String) -> JSONObject {
                let email = "phone\(ShopClient.unique())@identity.example"
                return ["fullName": "A", "email": .string(email), "phoneNumber": .string(phone)]
            }
            let typed = "+90 (532) 999-45-67"
            #expect(try await client.call("user.create", create(typed))["phoneNumber"]?.string == typed)
            for same in [
                "+905329994567", "+90-532-9994567", "00905329994567", "00 90 532.999.45.67", "0090/532/9994567",
                "+90 (0) 532 999 45 67", " +90 532 9994567\u{200B}",
            ] {
                #expect(try await client.refusal("user.create", create(same)).reason == "PHONE_TAKEN", "\(same)")
            }
            let home = try await client.call("user.create", create("0532 999 45 67"))
            #expect(try await client.refusal("user.create", create("0532-9994567")).reason == "PHONE_TAKEN")
            for nonsense in ["+()", "+ - / .", "call me"] {
                #expect(path(try await client.refusal("user.create", create(nonsense))) == "/phoneNumber")
            }
            _ = try await client.call("user.delete", ["userId": home["userId"] ?? .null])
            _ = try await client.call("user.create", create("05329994567"))
        }

        @Test
        func `a search finds what people would call the same, in lists and completion, and titles sort as they do`()
            async throws
        {
            let daemon = try await TestDaemon.start()
            let shop = try await ShopClient.open(daemon)
            let pairs = [
                ("IŞIK LAMBASI", "ışık"), ("ÇAY BARDAĞI", "çay bardağı"), ("Cafe\u{301} Noir", "café"),
                ("Café au lait", "cafe"),
                ("ΣΑΣ ΣΑΛΟΝΙ", "σας"), ("Straße Nord", "STRASSE"), ("naïve", "NAIVE"),
                ("İstanbul hatırası", "istanbul"),
                ("ﬁne ﬂour", "fine flour"), ("１２ ＡＢＣ", "12 abc"), ("So\u{AD}ft", "soft"), ("Łódź", "lodz"),
                ("100% wool_", "100% wool_"), ("back\\slash", "k\\s"),
            ]
            for (title, search) in pairs {
                let id = try await shop.product(["title": .string(title), "description": "x"])
                let user: JSONObject = [
                    "fullName": .string(title), "email": .string("search\(ShopClient.unique())@identity.example"),
                ]
                let userId = try await shop.client.call("user.create", user)["userId"]?.integer
                for typed in [search, title.lowercased(), title.uppercased()] {
                    let found = try await shop.all("product.list", ["search": .string(typed), "sort": "title"])
                    #expect(found.contains { $0["productId"]?.integer == id }, "\(title) by \(typed)")
                    let people = try await shop.all("user.list", ["search": .string(typed)])
                    #expect(people.contains { $0["userId"]?.integer == userId }, "\(title) by \(typed)")
                    for (method, param, value) in [
                        ("product.get", "productId", id), ("user.get", "userId", userId ?? 0),
                    ] {
                        let asked: JSONObject = [
                            "method": .string(method), "param": .string(param), "prefix": .string(typed),
                        ]
                        let values = try await shop.client.call("server.complete", asked)["values"]?.array ?? []
                        #expect(values.contains { $0["value"]?.integer == value }, "\(param) \(title) by \(typed)")
                    }
                }
            }
            #expect(try await shop.all("product.list", ["search": "100%%"]).isEmpty)
            let category: JSONValue = try #require(
                try await shop.client.call("category.create", ["name": "Sorted"])["categoryId"]
            )
            let sorted = ["Äpfel", "Apfel 2", "apple", "banana", "Banana", "çay", "Dill", "éclair", "zoo", "Ω"]
            for title in sorted.shuffled() {
                _ = try await shop.product(["title": .string(title), "categoryId": category])
            }
            for (sort, wanted) in [("title", sorted), ("-title", sorted.reversed())] {
                var seen: [String] = []
                var params: JSONObject = ["categoryId": category, "sort": .string(sort), "limit": 3]
                repeat {
                    let page = try await shop.client.call("product.list", params)
                    seen += (page["items"]?.array ?? []).compactMap { $0["title"]?.string }
                    params["cursor"] = page["nextCursor"]
                } while params["cursor"] != .null
                #expect(seen == wanted)
            }
        }

        /// Every name that any method takes.
        @Test func `a name that shows nothing is refused at its member, one with blanks around it is trimmed`()
            async throws
        {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let client = try await daemon.client()
            var tried = 0
            for method in AllMethods.list {
                for name in method.names {
                    guard let schema = method.parameters.fields.first(where: { $0.name == name })?.schema.plain,
                        case .name(let range) = schema, range.lowerBound > 0
                    else { continue }
                    for blank: JSONValue in ["   ", "\u{200B}", "\u{FEFF}\u{A0}\u{3000}", "\u{2060}\u{AD}"] {
                        var params = method.example
                        params[name] = blank
                        #expect(
                            path(try await client.refusal(method.name, params)) == "/\(name)",
                            "\(method.name) \(name)"
                        )
                        tried += 1
                    }
                }
            }
            #expect(tried > 40)
            let trimmed: [(method: String, member: String, params: JSONObject)] = [
                ("category.create", "name", [:]), ("supplier.create", "companyName", [:]),
                ("supplier.create", "taxNumber", ["companyName": "B"]),
                ("product.create", "title", ["categoryId": 1, "basePrice": "1.00"]),
                ("product.update", "title", ["productId": 1]), ("user.update", "fullName", ["userId": 1]),
                ("rule.create", "name", ["strategy": "bands"]), ("pricing.halt", "reason", ["scope": "all"]),
                ("supplier.update", "companyName", ["supplierId": 1]),
            ]
            for (method, member, params) in trimmed {
                var params = params
                params[member] = " \u{200B}Kahve Dünyası\u{FEFF}\u{A0}"
                #expect(try await client.call(method, params)[member] == "Kahve Dünyası", "\(method)")
            }
            let rows: JSONValue = [["title": " \u{200B}Imported ", "basePrice": "1.00", "categoryId": 1]]
            _ = try await client.call("product.import", ["rows": rows])
            let titles = try await client.all("product.list", ["search": "imported"]).map { $0["title"] }
            #expect(titles == ["Imported"])
            let blank: JSONValue = [["title": "\u{200B}", "basePrice": "1.00", "categoryId": 1]]
            let atomic: JSONObject = ["rows": blank, "mode": "atomic"]
            #expect(path(try await client.refusal("product.import", atomic)) == "/rows/0/title")
            for (method, params, member) in [
                ("category.create", ["name": "KAHVE DÜNYASI "], "/name"),
                ("category.create", ["name": "kahve dünyası"], "/name"),
                ("supplier.create", ["companyName": "C", "taxNumber": " kahve Dünyası "], "/taxNumber"),
                ("supplier.create", ["companyName": "C", "contactEmail": "notamail"], "/contactEmail"),
                ("supplier.update", ["supplierId": 1, "contactEmail": "not a@mail"], "/contactEmail"),
                ("category.create", ["name": "a\u{202E}b"], "/name"),
                ("user.create", ["fullName": "A", "email": "nobody"], "/email"),
            ] as [(String, JSONObject, String)] {
                #expect(path(try await client.refusal(method, params)) == member, "\(method) \(params)")
            }
            let taken = try await client.refusal(
                "user.create",
                ["fullName": "A", "email": " CHLOE.EVANS@mail.example\u{200B}"]
            )
            #expect(taken.reason == "EMAIL_TAKEN")
            _ = try await client.call("category.create", ["name": "Kahve Dunyası"])
        }

        // MARK: what others see

        @Test
        func `reports tell times as every reply does, rows are made at the shop's time, and the deleted have a mark`()
            async throws
        {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let shop = try await ShopClient.open(daemon)
            let client = shop.client
            let time = /[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z/
            var times = 0
            for report in try await client.all("report.list", [:]) {
                let rows = try await client.call("report.run", ["name": report["name"] ?? .null, "limit": 10_000])[
                    "rows"
                ]
                for cell in (rows?.array ?? []).flatMap({ $0.array ?? [] }) {
                    guard let text = cell.string, text.prefixMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil else {
                        continue
                    }
                    #expect(text.wholeMatch(of: time) != nil, "\(report["name"] ?? .null): \(text)")
                    times += 1
                }
            }
            #expect(times > 30)

            _ = try await client.call("clock.set", ["at": "2031-05-06T07:08:09Z"])
            let number = ShopClient.unique()
            let user = try await client.call(
                "user.create",
                ["fullName": "Gone Girl", "email": .string("gone\(number)@identity.example")]
            )
            #expect(user["createdAt"] == "2031-05-06T07:08:09.000Z")
            let product = try await shop.product(["stock": 1000])
            let trend = try await client.call("dashboard.priceTrends", ["productId": .integer(product), "days": 1])
            #expect(trend["items"]?.array?.last?["averagePrice"]?.string != nil)
            let psql = try await daemon.psql()
            let late = try await psql.run(
                """
                insert into supplier (company_name) values ('Late');
                select (select created_at from supplier where company_name = 'Late') = pricing_now(),
                       (select created_at from product where product_id = \(product)) = pricing_now()
                """
            )
            #expect(late.last == "t|t")

            let id = try #require(user["userId"]?.integer)
            var order = shop.order(of: product, 900)
            order["customerId"] = .integer(id)
            _ = try await client.call("order.place", order)
            _ = try await client.call("user.delete", ["userId": .integer(id)])
            let best = try await client.call("dashboard.vipUsers", ["limit": 1])["items"]?.array
            #expect(best?.count == 1 && best?[0]["userId"]?.integer == id)
            #expect(best?[0]["fullName"]?.string == "deleted user \(id)")
            #expect(try await client.call("dashboard.lowStock", ["limit": 1])["items"]?.array?.count == 1)
            var told = "\(best ?? [])"
            for report in try await client.all("report.list", [:]) {
                let rows = try await client.call("report.run", ["name": report["name"] ?? .null, "limit": 10_000])
                told += "\(JSONValue.object(rows))"
            }
            #expect(told.contains("deleted user \(id)"))
            #expect(!told.contains("Gone Girl") && !told.contains("gone\(number)"))
        }
    }
}

extension Schema {
    /// The schema of the values that are not null.
    fileprivate var plain: Schema {
        if case .nullable(let schema) = self { schema } else { self }
    }
}
