import JSON

/// The server's methods as `rpc.discover` describes them (OpenRPC).
struct MethodCatalogue {
    /// One parameter.
    struct Parameter {
        var name: String
        /// Whether it, or what may stand in its place, must be given.
        var isRequired: Bool
        var summary: String
        var schema: Schema
        /// The parameter that may be given in its place.
        var substitute: String?
    }

    /// One method.
    struct Method {
        var name: String
        var summary: String
        var parameters: [Parameter]
        /// The members of the result with their types, for help.
        var result: Schema
        /// `viewer`, `operator` or `admin`; empty when the server does not say.
        var role: String
        /// The columns that a table of its items shows, the most important first; nil when the server does not say.
        var columns: [String]?
        /// What the members of the result are, by name: id, money, percent, time, count.
        var kinds: [String: ColumnKind] = [:]
        /// Parameters that work on the demo data.
        var example = JSONObject()
        /// `read`, `write`, `destructive` or `session`; empty when the server does not say.
        var effect = ""
        /// Whether it may take long, and tells how far it is.
        var isLong = false

        /// Whether it changes the shop.
        var isWrite: Bool { effect == "write" || effect == "destructive" }

        var takesSecrets: Bool { parameters.contains { $0.schema.isSecret } }

        /// The members of an item of its list that have a type; nil when it gives no list.
        var listed: [String]? {
            result.property("items")?.items?.members.filter { !$0.schema.types.isEmpty }.map(\.name)
        }
    }

    private(set) var methods: [Method] = []
    /// Whether these are all that the server has.
    private(set) var isWhole = false
    /// The names of members that are never shown or kept.
    private(set) var secrets: Set<String> = ["password", "token", "login"]
    private var indices: [String: Int] = [:]

    /// No methods: before the first connection, or when the server does not describe itself.
    init() {}

    init(document: JSONObject) {
        add(document)
        isWhole = true
    }

    /// The methods that `document` describes, beside those that are known.
    mutating func add(_ document: JSONObject) {
        let components = document["components"]?.object?["schemas"]?.object ?? JSONObject()
        for entry in document["methods"]?.array ?? [] {
            guard let entry = entry.object, let name = entry["name"]?.string, indices[name] == nil else {
                continue
            }
            var parameters = (entry["params"]?.array ?? []).compactMap { parameter -> Parameter? in
                guard let parameter = parameter.object, let name = parameter["name"]?.string else { return nil }
                let schema = Schema(parameter["schema"], components: components)
                let summary = parameter["description"]?.string ?? parameter["summary"]?.string ?? schema.summary
                return Parameter(
                    name: name,
                    isRequired: parameter["required"] == .bool(true),
                    summary: summary,
                    schema: schema
                )
            }
            for (pair, isRequired) in Self.substitutions(entry) where pair.count == 2 {
                for index in parameters.indices where pair.contains(parameters[index].name) {
                    parameters[index].substitute = pair.first { $0 != parameters[index].name }
                    if isRequired, parameters[index].name == pair[0] { parameters[index].isRequired = true }
                }
            }
            for parameter in parameters where parameter.schema.isSecret { secrets.insert(parameter.name) }
            indices[name] = methods.count
            methods.append(
                Method(
                    name: name,
                    summary: entry["summary"]?.string ?? entry["description"]?.string ?? "",
                    parameters: parameters,
                    result: Schema(entry["result"]?.object?["schema"], components: components),
                    role: entry["x-role"]?.string ?? "",
                    columns: entry["x-table"]?.array?.compactMap(\.string),
                    kinds: Self.kinds(entry["x-format"]?.object ?? [:]),
                    example: Self.example(entry),
                    effect: entry["x-effect"]?.string ?? "",
                    isLong: entry["x-long"] == true
                )
            )
        }
    }

    private static func kinds(_ formats: JSONObject) -> [String: ColumnKind] {
        formats.reduce(into: [:]) { $0[$1.key] = $1.value.string.flatMap { ColumnKind(rawValue: $0) } }
    }

    private static func example(_ entry: JSONObject) -> JSONObject {
        let parameters = entry["examples"]?.array?.first?["params"]?.array ?? []
        return JSONObject(
            parameters.compactMap { parameter in
                parameter["name"]?.string.map { ($0, parameter["value"] ?? .null) }
            }
        )
    }

    /// Pairs of parameters of which one is given, and whether one must be.
    private static func substitutions(_ method: JSONObject) -> [(pair: [String], isRequired: Bool)] {
        (method["x-allOf"]?.array ?? []).map { rule in
            if let pair = rule["not"]?["required"]?.array { return (pair.compactMap(\.string), false) }
            let choices = rule["oneOf"]?.array ?? rule["anyOf"]?.array ?? []
            return (choices.compactMap { $0["required"]?.array?.first?.string }, true)
        }
    }

    /// Whether it gives a list, a page at a time.
    func isPaged(_ method: String) -> Bool {
        let names = self[method]?.parameters.map(\.name) ?? []
        return names.contains("limit") && names.contains("cursor")
    }

    subscript(method: String) -> Method? { indices[method].map { methods[$0] } }

    /// The schema of a parameter, or of a member deeper inside it; nil when unknown.
    func schema(method: String, path: [String]) -> Schema? {
        guard let first = path.first else { return nil }
        let parameter = self[method]?.parameters.first { $0.name == first }
        var schema = parameter?.schema ?? (first == "_meta" ? Self.callMetadata : nil)
        for name in path.dropFirst() { schema = schema?.property(name) ?? (Int(name) == nil ? nil : schema?.items) }
        return schema
    }

    /// `params._meta` belongs to every call, so a server need not repeat it in each method.
    private static let callMetadata = Schema(
        JSONReading.parse(
            """
            {"type": "object", "properties": {"idempotencyKey": {"type": "string"}, "timeoutMs": {"type": "integer"},
            "dryRun": {"type": "boolean"}, "progressToken": {"type": "string"}, "actor": {"type": "string"},
            "expect": {"type": "string"}}}
            """
        ),
        components: JSONObject()
    )
}
