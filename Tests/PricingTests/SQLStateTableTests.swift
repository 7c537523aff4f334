import JSON
import JSONRPC
import PricingProtocol
import Testing

@testable import Postgres
@testable import Pricing

struct SQLStateTableTests {
    /// Every class of PostgreSQL 15's appendix A, and the single states that mean something else than their class.
    private static let classes: [(states: String, reason: String)] = [
        ("00000 01004 02000 03000 09000 0A000 0B000 0F001 0L000 0LP01 0P000 0Z002 20000 21000 24000", "INTERNAL"),
        ("25001 25P01 25P02 25P03 26000 27000 28000 28P01 2B000 2BP01 2D000 2F005 34000 38001 39004", "INTERNAL"),
        ("3B001 3D000 3F000 42501 42601 42703 42P01 42P05 44000 54000 54001 55000 55006 55P02", "INTERNAL"),
        ("58000 58030 58P01 72000 F0000 HV000 P0000 P0001 P0002 P0003 P0004 XX000 XX001 XX002", "INTERNAL"),
        ("22000 22001 22003 22007 22008 22012 22P02 22P05 23000 23001 23502 23503 23505 23514 23P01", "INTERNAL"),
        ("40000 40002 40003 PR903", "INTERNAL"),
        ("40001 40P01 55P03 53000 53100 53200 53300 53400", "RESOURCE_EXHAUSTED"),
        ("08000 08006 25006 42883 57000 57014 57P01 57P02 57P03 57P04 57P05", "UNAVAILABLE"),
        ("PR009", "IDEMPOTENCY_CONFLICT"), ("PR101", "PRODUCT_NOT_FOUND"), ("PR404", "BAD_CREDENTIALS"),
    ]

    @Test func `every class of states becomes what the table says, and none blames the caller by itself`() {
        for (states, reason) in Self.classes {
            for state in states.split(separator: " ").map(String.init) {
                // A call full of values, none of which the error names.
                let failure = PricingFailure(error(state), params: ["title": "x", "quantity": 1, "email": "a@b"])
                let told = failure.rpcError(incidentID: "the incident")
                #expect(told.reason == reason, "\(state)")
                #expect((told.data["incidentId"] == "the incident") == (reason == "INTERNAL"), "\(state)")
                let isDone = told.data["outcome"]
                #expect(isDone == (reason == "INTERNAL" || state.hasPrefix("PR") ? nil : "not_done"), "\(state)")
                #expect(
                    (told.retryAfterMs != nil) == ["RESOURCE_EXHAUSTED", "UNAVAILABLE"].contains(reason),
                    "\(state)"
                )
            }
        }
        #expect(Set(SQLStateTable.meanings.keys).isSubset(of: Self.known), "a state or class that is tried above")
    }

    private static var known: Set<String> {
        let states = classes.flatMap { $0.states.split(separator: " ").map(String.init) }
        return Set(states + states.map { String($0.prefix(2)) })
    }

    @Test(arguments: [
        ("53100", "disk"), ("53200", "memory"), ("53300", "connections"), ("53400", "configuration"),
        ("53999", "database"),
    ])
    func `what the server lacks is named, whether a statement or a connect met it`(state: String, which: String) {
        for kind in [PostgresError.Kind.server, .connectionFailed] {
            var lack = error(state)
            lack.kind = kind
            let told = PricingFailure(lack).rpcError(incidentID: "")
            #expect(told.reason == "RESOURCE_EXHAUSTED" && told.retryable)
            #expect(told.data["which"] == .string(which))
            #expect(told.data["outcome"] == "not_done")
        }
    }

    @Test func `a broken constraint is the caller's only with the member that may have broken it`() throws {
        for (name, answer) in CallerValue.constraints {
            var broken = error("23514")
            broken.constraint = name
            #expect(
                PricingFailure(broken, params: ["other": 1]).rpcError(incidentID: "i").reason == "INTERNAL",
                "\(name)"
            )
            #expect(!answer.members.isEmpty)
            for member in answer.members {
                let told = PricingFailure(broken, params: Self.object(member)).rpcError(incidentID: "")
                #expect(told.reason != "INTERNAL", "\(name) at \(member)")
                guard case .violation = answer else { continue }
                #expect(told.data["violations"]?.array?.first?["path"] == .string(member))
            }
        }
    }

    /// An object with a value at a pointer.
    private static func object(_ pointer: String) -> JSONObject {
        let names = pointer.split(separator: "/").map(String.init)
        let value = names.reversed().reduce(JSONValue.integer(7)) { .object([$1: $0]) }
        return value.object ?? [:]
    }

    @Test func `a text that the database cannot read is blamed where it stands, any other number on us`() {
        var unread = error("22P02")
        unread.message = #"invalid input syntax for type bigint: "abc""#
        let told = PricingFailure(unread, params: ["rows": [["sku": "x"], ["sku": "abc"]]]).rpcError(incidentID: "")
        #expect(told.reason == "INVALID_PARAMS")
        #expect(told.data["violations"]?.array?.first?["path"] == "/rows/1/sku")
        #expect(PricingFailure(unread, params: ["sku": "abcd"]).rpcError(incidentID: "i").reason == "INTERNAL")
    }

    @Test func `a refusal by a function that names no member is a fault of the function`() {
        for facts in ["{}", #"{"violations": []}"#, #"{"violations": [{"path": "", "rule": "x", "message": "y"}]}"#] {
            var nameless = error("PR602")
            nameless.detail = facts
            #expect(PricingFailure(nameless).rpcError(incidentID: "i").reason == "INTERNAL", "\(facts)")
        }
    }

    @Test func `an order refused in a batch fails as it would have alone`() {
        for (state, detail, constraint) in [
            ("PR201", #"{"productId": 7}"#, ""), ("23503", nil, "product_category_fkey"), ("55P03", nil, ""),
            ("23505", nil, "unheard_of"), ("XX000", nil, ""),
        ] as [(String, String?, String)] {
            var alone = error(state)
            alone.detail = detail
            alone.constraint = constraint.isEmpty ? nil : constraint
            let refusal = Refusal(
                state: SQLState(state),
                message: alone.message,
                detail: detail,
                constraint: constraint
            )
            #expect(Refusal(alone) == refusal)
            let params: JSONObject = ["customerId": 7]
            let told = PricingFailure(refusal, params: params).rpcError(incidentID: "i").json
            #expect(told == PricingFailure(alone, params: params).rpcError(incidentID: "i").json, "\(state)")
        }
    }

    @Test func `the log's line of a fault holds no values`() {
        let refusal = Refusal(state: "23505", message: "secret", detail: "secret", constraint: "unheard_of")
        #expect("\(Fault.refusal(refusal))" == "refused with 23505 constraint unheard_of")
        #expect(!"\(Fault.error(error("23505")))".contains("refused"))
    }

    private func error(_ state: String) -> PostgresError {
        PostgresError(.server, "refused", sqlState: SQLState(state), statement: "test")
    }
}
