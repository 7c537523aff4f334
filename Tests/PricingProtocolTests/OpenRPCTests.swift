import JSON
import PricingProtocol
import Testing

struct OpenRPCTests {
    /// The table of methods: the least role, what calling does, the names. Methods of later stages stand here too.
    private static let contract: [(role: Role, effect: Method.Effect, names: String)] = [
        (.viewer, .session, "session.hello session.ping events.subscribe events.unsubscribe"),
        (
            .viewer, .read,
            """
            rpc.discover server.status server.metrics server.resolve server.complete server.explain category.list supplier.list
            supplier.get product.list product.get inventory.get inventory.list inventory.lowStock inventory.movements
            price.get price.history price.why price.preview rule.list rule.get rule.lint rule.backtest proposal.list
            campaign.list campaign.get claim.check claim.plan quote.get quote.list order.get order.list order.history user.list user.get clock.get
            dashboard.stats dashboard.categoryDistribution dashboard.priceTrends dashboard.supplierRevenue
            dashboard.monthlyRevenue dashboard.vipUsers dashboard.lowStock report.list report.run events.list audit.verify
            product.browse product.offer product.timeline price.curve inventory.expectations pricing.halts product.history price.changes audit.trail
            """
        ),
        (.operator, .read, "user.authenticate login.get login.list"),
        (
            .operator, .write,
            """
            category.create category.update category.delete supplier.create supplier.update supplier.delete product.create product.update
            product.archive product.restore product.import inventory.restock inventory.adjust inventory.count inventory.expect inventory.unexpect
            price.pin price.unpin price.rollback pricing.halt pricing.resume rule.create rule.activate rule.revise rule.retire proposal.approve
            proposal.reject campaign.create campaign.end quote.create quote.extend quote.release order.place
            order.advance order.cancel order.return user.create user.update user.delete user.changePassword
            login.open login.close
            """
        ),
        (.admin, .read, "server.requests lab.run"), (.admin, .session, "server.cancel server.drain"),
        (.admin, .write, "clock.set audit.repair data.generate"),
    ]

    @Test
    func `Every method has the role and the effect of the contract's table`() {
        var wanted: [String: String] = [:]
        for line in Self.contract {
            for name in line.names.split(whereSeparator: \.isWhitespace) {
                wanted[String(name)] = "\(line.role) \(line.effect)"
            }
        }
        for method in AllMethods.list {
            #expect("\(method.role) \(method.effect)" == wanted[method.name], "\(method.name)")
        }
    }

    /// Whom a method is for, below the staff; a seller may call all that an operator may but what concerns users and rules.
    private static let audiences: [Audience: String] = [
        .public: """
        rpc.discover session.hello session.ping server.explain category.list product.browse product.offer price.get claim.check
        events.subscribe events.unsubscribe events.list user.create login.open login.get login.close
        """,
        .customer: """
        order.place order.get order.list order.history order.cancel order.return quote.create quote.get quote.list quote.extend
        quote.release user.get user.update user.changePassword login.list
        """,
    ]

    @Test
    func `Every method is for the audience of the contract`() {
        let wanted = Self.audiences.reduce(into: [String: Audience]()) { wanted, line in
            for name in line.value.split(whereSeparator: \.isWhitespace) { wanted[String(name)] = line.key }
        }
        for method in AllMethods.list {
            let isForStaff = method.name.hasPrefix("user.") || method.name.hasPrefix("rule.")
            #expect(method.audience == wanted[method.name] ?? (isForStaff ? .staff : .seller), "\(method.name)")
        }
    }

    /// Those that a client reads back after it has written are not among the first, and what is read in steps, batched with
    /// others, or numbered by the primary's stream among neither.
    @Test
    func `Plain reads of the staff may be a standby's, reports unless they are to be fresh`() {
        let wanted: [Method.StandbyUse: Set<String>] = [
            .unlessFresh: [
                "report.run", "dashboard.categoryDistribution", "dashboard.priceTrends", "dashboard.supplierRevenue",
                "dashboard.monthlyRevenue", "dashboard.vipUsers",
            ],
            .ifAsked: [
                "product.timeline", "product.history", "product.list", "price.history", "price.changes", "audit.trail",
                "inventory.movements", "inventory.list", "order.list",
            ],
        ]
        for (use, names) in wanted {
            #expect(Set(AllMethods.list.filter { $0.standby == use }.map(\.name)) == names)
        }
        for method in AllMethods.list where method.standby != .never {
            #expect(method.effect == .read && method.batching == nil && !method.isUrgent, "\(method.name)")
            let document = OpenRPCDocument.make(version: "1", only: method.name)
            #expect(document["methods"]?.array?.first?["x-standby"]?.string == method.standby.rawValue)
        }
    }

    /// Of which things there may be somebody else's, and `refuse_others` has to look.
    @Test
    func `A method for customers takes the ids of things that are everybody's, or whose owner is looked at`() {
        let open: Set = ["productId", "categoryId", "loginId", "customerId", "userId"]
        for method in AllMethods.list where method.audience <= .customer {
            for field in method.parameters.fields where field.name.hasSuffix("Id") {
                #expect(open.contains(field.name) || Method.owned.contains(field.name), "\(method.name) \(field.name)")
            }
        }
    }

    @Test
    func `The document has an entry a method, and says what clients need`() throws {
        let document = OpenRPCDocument.make(version: "1.2.3")
        #expect(document["openrpc"]?.string?.hasPrefix("1.") == true)
        #expect(document["info"]?["version"] == "1.2.3")
        let entries = try #require(document["methods"]?.array)
        #expect(entries.compactMap { $0["name"]?.string } == AllMethods.list.map(\.name))
        for (entry, method) in zip(entries, AllMethods.list) {
            #expect(entry["paramStructure"] == "by-name", "\(method.name)")
            #expect(
                entry["x-role"]?.string == method.role.rawValue && entry["x-effect"]?.string == method.effectText
                    && entry["x-audience"]?.string == method.audience.rawValue
            )
            #expect(entry["x-idempotent"]?.bool != nil, "\(method.name)")
            let params = try #require(entry["params"]?.array)
            #expect(params.compactMap { $0["name"]?.string } == method.parameters.fields.map(\.name) + ["_meta"])
            #expect(
                params.filter { $0["required"] == true }.compactMap { $0["name"]?.string }
                    == method.parameters.alwaysRequired.map(\.name)
            )
            #expect(params.allSatisfy { $0["schema"]?.object != nil }, "\(method.name)")
            #expect(entry["result"]?["schema"]?.object != nil, "\(method.name)")
            #expect(entry["errors"]?.array?.count == method.errors.count, "\(method.name)")
        }
    }

    @Test
    func `Every reference leads somewhere, and every component is referred to`() throws {
        let document = OpenRPCDocument.make(version: "1")
        var referred: Set<String> = []
        collect(.object(document), &referred)
        #expect(!referred.isEmpty)
        for path in referred {
            let steps = path.split(separator: "/").dropFirst()
            var place: JSONValue? = .object(document)
            for step in steps { place = place?[String(step)] }
            #expect(place?.object != nil, "\(path)")
        }
        let schemas = try #require(document["components"]?["schemas"]?.object)
        for name in schemas.keys { #expect(referred.contains("#/components/schemas/\(name)"), "\(name)") }
        #expect(document["components"]?["errors"]?.object?.count == ErrorCode.all.count)
    }

    @Test
    func `Every example fits its own method`() throws {
        let entries = try #require(OpenRPCDocument.make(version: "1")["methods"]?.array)
        for (entry, method) in zip(entries, AllMethods.list) {
            #expect(violations(method.example, method.parameters) == [], "\(method.name)")
            let example = try #require(entry["examples"]?.array?.first)
            #expect(example["params"]?.array?.count == method.example.count, "\(method.name)")
            let made = try #require(example["result"]?["value"]?.object)
            #expect(violations(made, method.result) == [], "\(method.name)")
        }
    }

    @Test
    func `Lists name the columns of a table; money is a decimal string; a line is compact and has no line feed`() throws
    {
        let document = OpenRPCDocument.make(version: "1")
        let entries = try #require(document["methods"]?.array)
        for name in ["product.list", "order.list", "user.list", "price.history", "rule.list"] {
            let entry = entries.first { $0["name"]?.string == name }
            #expect(entry?["x-table"]?.array?.isEmpty == false, "\(name)")
        }
        let basePrice = entries.first { $0["name"] == "product.create" }?["params"]?.array?
            .first { $0["name"] == "basePrice" }
        #expect(basePrice?["schema"]?["type"] == "string" && basePrice?["schema"]?["format"] == "decimal")
        let text = document.serialized()
        #expect(!text.contains(10))
        #expect(try JSONParser.parse(text).object == document)
        #expect(OpenRPCDocument.make(version: "1").serialized() == text, "the same each time, byte for byte")
    }

    private func collect(_ value: JSONValue, _ referred: inout Set<String>) {
        if let elements = value.array { for element in elements { collect(element, &referred) } }
        guard let object = value.object else { return }
        for (key, member) in object {
            if key == "$ref", let path = member.string { referred.insert(path) } else { collect(member, &referred) }
        }
    }
}
