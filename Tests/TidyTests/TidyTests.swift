import Testing

/// Style is a test.
struct TidyTests {
    @Test(arguments: Rule.all.indices)
    func `Every file keeps every rule`(index: Int) {
        let rule = Rule.all[index]
        let concerned = House.files.filter { rule.concerns($0) }
        #expect(!concerned.isEmpty, "\(rule.name): no file is concerned")
        for file in concerned {
            #expect(rule.problems(file) == [], "\(rule.name): \(file.path)")
        }
    }

    @Test(arguments: Rule.all.indices)
    func `Every rule sees what breaks it`(index: Int) {
        let rule = Rule.all[index]
        #expect(!rule.planted.isEmpty, "\(rule.name)")
        for file in rule.planted {
            #expect(rule.concerns(file), "\(rule.name): \(file.path)")
            #expect(rule.problems(file) != [], "\(rule.name): \(file.text.prefix(200))")
        }
    }

    @Test
    func `Comments and strings are told from code`() {
        let text = """
            let a = "b! // c" // d!
            /* e! /* f! */ g! */ let h = #"i\\"!"# + "\\"j!" + "k"
            """
        #expect(SwiftCode(text).code == "let a = \"\" \n let h = \"\" + \"\" + \"\"")
        #expect(!SwiftCode(text).literals.contains("d!") && SwiftCode(text).literals.contains("k"))
    }

    @Test
    func `A function is measured from its name to its brace; requirements, calls and one-liners are not`() {
        let text = """
            protocol A {
                func b()
                init(c: Int)
            }
            struct D: A {
                func b() { "}".count }
                init(
                    c: Int
                ) {
                    super.init(c)
                    self.init(c)
                }
                func e<F>(_ f: F) -> F
                where F: A {
                    f
                }
            }
            """
        #expect(
            FunctionSpan.all(in: SwiftCode(text)) == [
                FunctionSpan(line: 7, length: 6), FunctionSpan(line: 13, length: 4),
            ]
        )
    }

    @Test
    func `The top folder holds what belongs there`() {
        let allowed: Set = ["Package.resolved", "Package.swift", "README.md", "Sources", "Tests", "examples", "sql"]
        #expect(Set(House.topNames).subtracting(allowed) == [])
    }

    @Test
    func `Every room of the sources is known, and the walk sees the whole house`() {
        let seen = Set(House.files.filter { $0.isIn("Sources") }.map { String($0.path.split(separator: "/")[1]) })
        #expect(seen.subtracting(Rule.rooms.keys) == [], "not a room of the house")
        #expect(Set(Rule.rooms.keys).subtracting(seen) == [], "a room that is not there")
        #expect(House.files.contains { $0.path == "Package.swift" })
    }

    @Test func `every arrow of the house is used`() {
        var imported: [String: Set<String>] = [:]
        for file in House.files where Rule.arrows.concerns(file) {
            imported[String(file.path.split(separator: "/")[1]), default: []].formUnion(Rule.imports(file.swift))
        }
        for (room, arrows) in Rule.rooms {
            #expect(arrows.subtracting(imported[room] ?? []) == [], "\(room) does not import them")
        }
    }

    @Test
    func `The manifest gives every target the settings of the house`() throws {
        let manifest = try #require(House.text("Package.swift"))
        for setting in [
            "swiftLanguageModes: [.v6]", "ExistentialAny", "InferIsolatedConformances", "InternalImportsByDefault",
            "MemberImportVisibility", "NonisolatedNonsendingByDefault", ".strictMemorySafety()",
            ".treatAllWarnings(as: .error)",
        ] { #expect(manifest.contains(setting), "\(setting)") }
        #expect(manifest.firstMatch(of: /unsafeFlags|branch:|revision:|path: "(\.\.|\/)/) == nil)
    }

    @Test
    func `The C file carries every script, under its own name`() throws {
        let c = try #require(House.text("Sources/CPricingSQL/CPricingSQL.c"))
        let scripts = House.files.filter { $0.isIn("sql") }.map { String($0.path.dropFirst(4)) }
        #expect(scripts.count > 10)
        for script in scripts {
            let bytes = "script_" + script.dropLast(4).replacing("/", with: "_")
            #expect(c.contains("\(bytes)[] = {\n#embed \"../../sql/\(script)\"\n};"), "\(script)")
            #expect(c.contains("SCRIPT(\"\(script)\", \(bytes))"), "\(script)")
        }
        #expect(c.matches(of: /#embed/).count == scripts.count && c.matches(of: /\s{4}SCRIPT\(/).count == scripts.count)
    }

    @Test(arguments: ["Clients", "Development", "Security"])
    func `The tests that a page names are there`(page: String) throws {
        let text = try #require(House.text("Sources/pricingd/pricingd.docc/\(page).md"))
        let named = Set(text.matches(of: /`([A-Z]\w+Tests)`/).map { String($0.1) })
        let there = Set(House.files.filter { $0.isIn("Tests") }.flatMap { $0.path.split(separator: "/").dropFirst() })
        #expect(!named.isEmpty)
        #expect(named.filter { !there.contains("\($0).swift") && !there.contains("\($0)"[...]) } == [])
    }

    @Test
    func `The Protocol page's table names every method`() throws {
        let names = House.files.filter { $0.isIn("Sources/PricingProtocol") }.flatMap { file in
            file.text.matches(of: /Method\(\s*"([a-z]+\.[A-Za-z]+)"/).map { String($0.1) }
                + file.text.matches(of: /dashboard\(\s*"([A-Za-z]+)"/).map { "dashboard.\($0.1)" }
        }
        #expect(names.count > 50 && names.contains("order.place") && names.contains("dashboard.vipUsers"))
        let page = try #require(House.text("Sources/pricingd/pricingd.docc/Protocol.md"))
        let rows = Set(page.matches(of: /\|\s`([a-z]+\.[A-Za-z]+)`\s\|/).map { String($0.1) })
        #expect(Set(names).subtracting(rows) == [], "not in the table")
        #expect(rows.filter { !names.contains($0) } == [], "no longer a method")
    }
}
