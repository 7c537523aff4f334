import Foundation
import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// What an operator does, and how many keys it takes: typed key by key beside the demo shop, and told in the page Shell.
    @Suite
    struct ReplKeyTests {
        /// A text that is typed, or a key, as it is written and as the terminal sends it.
        private enum Stroke: ExpressibleByStringLiteral {
            case text(String)
            case key(String, code: String)

            init(stringLiteral text: String) { self = .text(text) }

            static let enter = Stroke.key("⏎", code: "\r")
            static let tab = Stroke.key("⇥", code: "\t")
            static let up = Stroke.key("↑", code: "\u{1B}[A")
            static let left = Stroke.key("←", code: "\u{1B}[D")
            static let end = Stroke.key("End", code: "\u{1B}[F")
            static let cancel = Stroke.key("^C", code: "\u{3}")
            static let search = Stroke.key("^R", code: "\u{12}")

            var code: String {
                switch self {
                case .text(let text): text
                case .key(_, let code): code
                }
            }

            var name: String {
                switch self {
                case .text(let text): "`\(text)`"
                case .key(let name, _): name
                }
            }

            /// How many keys it is.
            var count: Int {
                switch self {
                case .text(let text): text.count
                case .key: 1
                }
            }
        }

        private struct Deed {
            var name: String
            var keys: [Stroke]
            /// The most that it may take.
            var most: Int
            /// What comes of it.
            var comes: [String] = []

            var codes: String { keys.map(\.code).joined() }
            var count: Int { keys.reduce(0) { $0 + $1.count } }

            /// Its line in the page.
            var line: String { "| \(name) | \(keys.map(\.name).joined(separator: " ")) | \(count) | \(most) |" }
        }

        private static let deeds: [Deed] = [
            Deed(
                name: "find a product by its title",
                keys: ["find yoga", .enter],
                most: 10,
                comes: ["18", "Yoga mat"]
            ),
            Deed(
                name: "why is its price so",
                keys: ["why yoga mat", .enter],
                most: 13,
                comes: ["18 Yoga mat: ", "next: "]
            ),
            Deed(
                name: "prices that move while one types",
                keys: ["tail price", .enter],
                most: 12,
                comes: ["told here"]
            ),
            Deed(
                name: "restock",
                keys: ["restock 18 +20", .enter],
                most: 15,
                comes: ["18 Yoga mat: stock ", "price "]
            ),
            Deed(
                name: "pin for the weekend",
                keys: ["pin 18 35 until mon", .enter],
                most: 20,
                comes: ["pinned at 35.00 until"]
            ),
            Deed(
                name: "take last night's moves back",
                keys: ["undo since 22:00", .enter],
                most: 17,
                comes: ["taken back"]
            ),
            Deed(name: "who changed a rule", keys: ["who rule bands", .enter], most: 15, comes: ["→ ", "bands 1"]),
            Deed(
                name: "an order for an e-mail",
                keys: ["sell 18 x2 to chloe", .tab, .enter],
                most: 38,
                comes: ["order ", "to Chloe Evans"]
            ),
            Deed(
                name: "a price's history as CSV",
                keys: ["history 18 > x.csv", .enter],
                most: 19,
                comes: ["x.csv: ", "complete"]
            ),
            Deed(
                name: "stop a category",
                keys: ["halt Kitchen \"feed wrong\"", .enter],
                most: 26,
                comes: ["halted: ", "Kitchen"]
            ),
            Deed(
                name: "what would a rule's change do",
                keys: ["try rule bands up=20%", .enter],
                most: 22,
                comes: ["would move ", "rule bands 2 would be in force"]
            ),
        ]

        private static let slow =
            "lab.run scenarios=[{\"name\":\"a\",\"stock\":25,\"horizon_days\":30,\"customers_per_day\":4,"
            + "\"demand\":\"exponential(40)\",\"base\":50}] policies=[\"learn_calm\"] seasons=100000\r"
        private static let away = Deed(name: "the daemon restarts while one types", keys: [], most: 0)
        private static let cancel = Deed(name: "cancel a long call", keys: [.cancel], most: 1, comes: ["CANCELLED"])
        private static let paste = Deed(
            name: "run a paste of which some writes",
            keys: [.enter, "y", .enter],
            most: 3,
            comes: ["2 commands, 1 write: run?", "1 product", "18 Yoga mat: stock "]
        )
        private static let mend = Deed(
            name: "mend the row above in a JSON text",
            keys: [.up, .end, .left, "1"],
            most: 4
        )
        private static let search = Deed(
            name: "search the history and run what is found",
            keys: [.search, "who", .enter],
            most: 5,
            comes: ["bands 1"]
        )

        private static func documentation() throws -> String {
            let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
            return try String(
                contentsOf: root.appending(path: "Sources/pricingd/pricingd.docc/Shell.md"),
                encoding: .utf8
            )
        }

        @Test func `the sixteen tasks stand in the page Shell with the keys that they take`() throws {
            let tasks = Self.deeds + [Self.away, Self.cancel, Self.paste, Self.mend, Self.search]
            let text = try Self.documentation()
            #expect(tasks.count == 16)
            for task in tasks {
                #expect(task.count <= task.most)
                #expect(text.contains(task.line + "\n"), "the page lacks: \(task.line)")
            }
        }

        @Test func `the sixteen tasks take these keys`() async throws {
            let daemon = try await TestDaemon.start(hasDemo: true)
            let shop = try await daemon.client()
            let repl = try #require(ReplProcess(["--socket", daemon.socket], home: daemon.folder, in: daemon.folder))
            #expect(repl.expect("pricing> "))
            func did(_ task: Deed) {
                repl.type(task.codes)
                for text in task.comes { #expect(repl.expect(text), "\(task.name): \(text) in \(repl.seen)") }
                #expect(repl.expect("pricing> "), "\(task.name)")
            }
            for task in Self.deeds { did(task) }
            #expect(try String(contentsOfFile: daemon.folder + "/x.csv", encoding: .utf8).contains("35.00"))

            repl.type(Self.slow)
            while try await !shop.call("server.requests")["items"].contains(method: "lab.run") {
                try Task.checkCancellation()
            }
            #expect(repl.expect("progress: "))
            #expect(repl.expect("/100000 "))
            did(Self.cancel)
            repl.type("\u{1B}[200~find yoga\rrestock 18 +1\r\u{1B}[201~")
            #expect(repl.expect("restock 18 +1"))
            did(Self.paste)
            repl.type("events.list {\r\"limit\": 1,\r\"from\": 0")
            repl.type(Self.mend.codes)
            repl.type("\u{1B}[B\u{1B}[F}\r")
            #expect(repl.expect("row"))
            #expect(repl.expect("pricing> "))
            did(Self.search)

            repl.type("product.get productId=")
            #expect(repl.expect("productId="))
            await daemon.kill9()
            #expect(repl.expect("⟂ 0 s> product.get productId="))
            try await daemon.restart()
            #expect(repl.expect("pricing> product.get productId="))
            repl.type("18\r")
            #expect(repl.expect("Yoga mat"))
            repl.type("\\q\r")
            #expect(repl.end() == 0)
        }
    }
}
