/// What each room may import; an arrow that is not here does not exist.
extension Rule {
    /// Modules of the system and of the language, which every room may use.
    private static let everywhere: Set<String> = ["Glibc", "Dispatch", "Synchronization"]

    /// Every room of `Sources` and what it may import beside those.
    static let rooms: [String: Set<String>] = [
        "FileTrust": [],
        "Waking": [],
        "JSON": [],
        "JSONRPC": ["JSON"],
        "RPCTransport": [
            "CExtendedAttributes", "CMalloc", "FileTrust", "JSON", "JSONRPC", "Waking", "Logging", "NIOCore",
            "NIOPosix",
        ],
        "PricingProtocol": ["FileTrust", "JSON", "JSONRPC"],
        "Postgres": ["CLibPQ", "FileTrust", "Waking", "Logging", "Subprocess", "SystemPackage"],
        "Pricing": [
            "CLinux", "CPricingSQL", "JSON", "JSONRPC", "Postgres", "PricingProtocol", "RPCTransport", "Waking",
            "Logging", "ServiceLifecycle", "UnixSignals",
        ],
        "PricingClient": ["JSON", "JSONRPC", "PricingProtocol", "RPCTransport"],
        "pricingd": [
            "FileTrust", "JSON", "JSONRPC", "Postgres", "Pricing", "PricingProtocol", "RPCTransport", "ArgumentParser",
            "Configuration", "Logging", "SystemPackage",
        ],
        "pricing-repl": [
            "CEditLine", "JSON", "JSONRPC", "PricingClient", "PricingProtocol", "RPCTransport", "ArgumentParser",
        ],
        "pricing-simulate": ["JSON", "JSONRPC", "PricingClient", "PricingProtocol", "RPCTransport", "ArgumentParser"],
        "pricing-bench": [
            "CLinux", "JSON", "JSONRPC", "PricingClient", "PricingProtocol", "RPCTransport", "ArgumentParser",
            "Histogram", "NIOCore",
            "NIOPosix", "Subprocess", "SystemPackage",
        ],
        "Markup": [],
        "pricing-web": [
            "CWebPages", "JSON", "JSONRPC", "Markup", "PricingClient", "PricingProtocol", "RPCTransport",
            "ArgumentParser",
            "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "NIOCore", "ServiceLifecycle", "UnixSignals",
        ],
        // C, each behind one door
        "CEditLine": [], "CLinux": [], "CExtendedAttributes": [], "CLibPQ": [], "CMalloc": [], "CPricingSQL": [],
        "CWebPages": [],
    ]

    static let arrows = Rule(
        name: "Every import is an arrow of the house",
        concerns: { isSwift($0) && $0.isIn("Sources") },
        problems: { file in
            let room = String(file.path.split(separator: "/")[1])
            guard let allowed = rooms[room] else { return ["\(room) is no room of the house"] }
            return imports(file.swift).filter {
                !allowed.contains($0) && !everywhere.contains($0) && $0 != "Foundation"
            }
            .map { "\(room) imports \($0)" }
        },
        planted: [
            swift("Sources/pricing-repl/A.swift", "internal import Pricing"),
            swift("Sources/pricing-simulate/A.swift", "import Postgres"),
            swift("Sources/PricingClient/A.swift", "import Pricing"),
            swift("Sources/Pricing/Calls/A.swift", "import PricingClient"),
            swift("Sources/pricing-bench/A.swift", "import CPricingSQL"),
            swift("Sources/PricingProtocol/A.swift", "package import Postgres"),
            swift("Sources/PricingProtocol/A.swift", "import RPCTransport"),
            swift("Sources/JSON/A.swift", "import JSONRPC"),
            swift("Sources/JSONRPC/A.swift", "internal import NIOCore"),
            swift("Sources/RPCTransport/Server/A.swift", "@preconcurrency import Pricing"),
            swift("Sources/Postgres/A.swift", "import JSONRPC"),
            swift("Sources/Pricing/A.swift", "import ArgumentParser"),
            swift("Sources/Pricing/Handlers/A.swift", "import Hummingbird"),
            swift("Sources/pricingd/A.swift", "import Hummingbird"),
            swift("Sources/Markup/A.swift", "import JSON"),
            swift("Sources/pricing-web/A.swift", "import Postgres"),
            swift("Sources/pricingd/A.swift", "import struct pricing_repl.A"),
            swift("Sources/Common/A.swift", "let a = 1"),
        ]
    )

    /// The modules that Swift text imports.
    static func imports(_ swift: SwiftCode) -> [String] {
        swift.code.split(separator: "\n").compactMap { line in
            guard
                let match = line.firstMatch(
                    of: /\bimport\s+(?:(?:struct|class|enum|protocol|func|let|var|typealias)\s+)?(\w+)/
                )
            else { return nil }
            return String(match.1)
        }
    }

    static let sqlHomes = Rule(
        name: "SQL stands in sql/, in Sources/Pricing/Statements/ and in tests",
        concerns: {
            isSwift($0) && $0.isIn("Sources") && !$0.isIn("Sources/Pricing/Statements")
                // The private cluster's own roles and database, before there is any schema.
                && $0.path != "Sources/Postgres/Cluster/ClusterRoles.swift"
        },
        problems: { file in
            let literals = file.swift.literals
            return matches(
                literals,
                /(^|\x01|\s)(select\s+[\w*'$(]|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s)/
            )
                + matches(
                    literals,
                    /(^|\x01|\s)(create|alter|drop)\s+(or\s+replace|table|function|index|role|database)\s/
                )
        },
        planted: [
            swift("Sources/Pricing/A.swift", "let a = \"select price from inventory\""),
            swift("Sources/Postgres/A.swift", "let a = \"\"\"\n    update inventory set price = 1\n    \"\"\""),
            swift("Sources/pricingd/A.swift", "let a = #\"insert into product values (1)\"#"),
            swift("Sources/JSONRPC/A.swift", "f(\"delete from product\")"),
        ]
    )

    static let folders = Rule(
        name: "No folder is named for being a heap",
        concerns: { isOurs($0) },
        problems: { file in
            file.path.split(separator: "/").dropLast()
                .filter {
                    $0.wholeMatch(of: /(?i)(utils?|helpers?|common|core|misc|models|new|old|\w*managers?)/) != nil
                }
                .map { "folder \($0)" }
        },
        planted: ["Sources/Utils/A.swift", "Tests/A/Helpers/A.swift", "Sources/A/ConnectionManager/B.swift"].map {
            swift($0, "")
        }
    )
}
