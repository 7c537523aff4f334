// swift-tools-version: 6.2
import PackageDescription

/// The arrows between the rooms are held by `Tests/TidyTests`; a library enters when it is first used.
let package = Package(
    name: "pricingd",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "pricingd", targets: ["pricingd"]),
        .executable(name: "pricing-bench", targets: ["pricing-bench"]),
        .executable(name: "pricing-repl", targets: ["pricing-repl"]),
        .executable(name: "pricing-simulate", targets: ["pricing-simulate"]),
        .executable(name: "pricing-web", targets: ["pricing-web"]),
    ],
    dependencies: [
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // MARK: C libraries, each behind one door
        .target(name: "CEditLine", linkerSettings: [.linkedLibrary("edit")]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CExtendedAttributes"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CMalloc"),
        .target(name: "CPricingSQL"),
        .target(name: "CWebPages", exclude: ["admin.css", "base.css", "icon.svg", "live.js", "store.css"]),

        // MARK: FileTrust
        .target(name: "FileTrust"),

        // MARK: Waking
        .target(name: "Waking"),
        .testTarget(name: "WakingTests", dependencies: ["Waking"]),

        // MARK: JSON
        .target(name: "JSON"),
        .testTarget(name: "JSONTests", dependencies: ["JSON", "PricingClient", "PricingTestSupport"]),

        // MARK: JSONRPC
        .target(name: "JSONRPC", dependencies: ["JSON"]),
        .testTarget(
            name: "JSONRPCTests",
            dependencies: ["JSON", "JSONRPC", "PricingClient", "PricingTestSupport"]
        ),

        // MARK: RPCTransport
        .target(
            name: "RPCTransport",
            dependencies: [
                "CExtendedAttributes", "CMalloc", "FileTrust", "JSON", "JSONRPC", "Waking",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "RPCTransportTests",
            dependencies: [
                "JSON", "JSONRPC", "PricingTestSupport", "RPCTransport", "Waking",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),

        // MARK: PricingProtocol
        .target(name: "PricingProtocol", dependencies: ["FileTrust", "JSON", "JSONRPC"]),
        .testTarget(name: "PricingProtocolTests", dependencies: ["JSON", "JSONRPC", "PricingProtocol"]),

        // MARK: Postgres
        .target(
            name: "Postgres",
            dependencies: [
                "CLibPQ", "FileTrust", "Waking",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "PricingClient", "PricingTestSupport"]),

        // MARK: Pricing
        .target(
            name: "Pricing",
            dependencies: [
                "CLinux", "CPricingSQL", "JSON", "JSONRPC", "Postgres", "PricingProtocol", "RPCTransport", "Waking",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "PricingTests",
            dependencies: [
                "JSON", "JSONRPC", "Postgres", "Pricing", "PricingClient", "PricingProtocol", "PricingTestSupport",
                "RPCTransport", "pricing-simulate",
            ],
            exclude: ["golden.json", "rights.txt", "schema.sql"]
        ),

        // MARK: PricingClient
        .target(name: "PricingClient", dependencies: ["JSON", "JSONRPC", "PricingProtocol", "RPCTransport"]),
        .testTarget(name: "PricingClientTests", dependencies: ["JSON", "JSONRPC", "PricingClient", "RPCTransport"]),

        // MARK: executables
        .executableTarget(
            name: "pricingd",
            dependencies: [
                "FileTrust", "JSON", "JSONRPC", "Postgres", "Pricing", "PricingProtocol", "RPCTransport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .executableTarget(
            name: "pricing-bench",
            dependencies: [
                "CLinux", "JSON", "JSONRPC", "PricingClient", "PricingProtocol", "RPCTransport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "PricingBenchTests", dependencies: ["JSON", "JSONRPC", "PricingClient", "pricing-bench"]),
        .executableTarget(
            name: "pricing-repl",
            dependencies: [
                "CEditLine", "JSON", "JSONRPC", "PricingClient", "PricingProtocol", "RPCTransport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "pricing-simulate",
            dependencies: [
                "JSON", "JSONRPC", "PricingClient", "PricingProtocol", "RPCTransport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .testTarget(
            name: "PricingSimulateTests",
            dependencies: ["JSON", "JSONRPC", "PricingClient", "pricing-simulate"]
        ),

        // MARK: Markup, and what serves pages
        .target(name: "Markup"),
        .testTarget(name: "MarkupTests", dependencies: ["Markup"]),
        .executableTarget(
            name: "pricing-web",
            dependencies: [
                "CWebPages", "JSON", "JSONRPC", "Markup", "PricingClient", "PricingProtocol", "RPCTransport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),

        // MARK: tests of the whole
        .target(
            name: "PricingTestSupport",
            dependencies: [
                "JSON", "JSONRPC", "Postgres", "Pricing", "PricingClient", "PricingProtocol", "RPCTransport",
            ],
            path: "Tests/PricingTestSupport"
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "JSON", "JSONRPC", "Postgres", "PricingProtocol", "PricingTestSupport", "RPCTransport", "pricing-bench",
                "pricing-repl", "pricing-simulate", "pricingd",
            ],
            exclude: ["openrpc-meta-schema.json"]
        ),
        .testTarget(
            name: "FaultTests",
            dependencies: [
                "JSON", "JSONRPC", "Postgres", "PricingClient", "PricingProtocol", "PricingTestSupport", "RPCTransport",
                "pricing-simulate", "pricingd",
            ],
            exclude: ["clock.c"]
        ),
        .testTarget(
            name: "PricingWebTests",
            dependencies: [
                "JSON", "PricingProtocol", "PricingTestSupport", "pricing-web", "pricingd",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            exclude: [
                "browser.py", "buyers.py", "doors.py", "journeys.py", "load.py", "looks.py", "own.py", "staff.py",
                "wire.py",
            ]
        ),
        .testTarget(name: "TidyTests"),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c2x
)

// Tests/run.sh --only ROOM and --pure say in this variable which test targets there are: SwiftPM links all of them into one
// program, so that one room's tests would wait for every other room to be built.
if let wanted = Context.environment["PRICINGD_TESTS"] {
    func needsPostgres(_ name: String) -> Bool {
        guard name != "CLibPQ" else { return true }
        let dependencies = package.targets.first { $0.name == name }?.dependencies ?? []
        return dependencies.contains { dependency in
            guard case .byNameItem(name: let next, condition: _) = dependency else { return false }
            return needsPostgres(next)
        }
    }
    package.targets = package.targets.filter { target in
        target.type != .test || (wanted == "pure" ? !needsPostgres(target.name) : target.name == wanted)
    }
}

for target in package.targets where target.type != .system && !target.name.hasPrefix("C") {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
    ]
}
