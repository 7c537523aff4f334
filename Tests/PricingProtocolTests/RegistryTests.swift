import JSON
import JSONRPC
import PricingProtocol
import Testing

struct RegistryTests {
    /// The contract's table: code, reason, and whether calling again may help.
    private static let contract = """
        -32700 PARSE_ERROR no
        -32600 INVALID_REQUEST no
        -32600 DUPLICATE_ID no
        -32601 METHOD_NOT_FOUND no
        -32602 INVALID_PARAMS no
        -32602 POSITIONAL_NOT_SUPPORTED no
        -32603 INTERNAL maybe
        -32001 CANCELLED maybe
        -32002 NOT_READY yes
        -32003 MESSAGE_TOO_LARGE no
        -32004 DEADLINE_EXCEEDED maybe
        -32005 RESOURCE_EXHAUSTED yes
        -32006 SHUTTING_DOWN yes
        -32007 PERMISSION_DENIED no
        -32008 UNAVAILABLE maybe
        -32009 IDEMPOTENCY_CONFLICT no
        -32010 UNSUPPORTED_VERSION no
        -32011 SUBSCRIPTION_NOT_FOUND no
        101 PRODUCT_NOT_FOUND no
        102 PRODUCT_ARCHIVED no
        103 CATEGORY_NOT_FOUND no
        104 SUPPLIER_NOT_FOUND no
        105 SUPPLIER_IN_USE no
        106 CATEGORY_IN_USE no
        107 SKU_TAKEN no
        201 INSUFFICIENT_STOCK no
        202 ORDER_NOT_FOUND no
        203 ORDER_STATE no
        204 PRICE_CHANGED no
        205 QUOTE_EXPIRED no
        206 QUOTE_NOT_FOUND no
        301 RULE_NOT_FOUND no
        302 RULE_INVALID no
        303 OUTSIDE_LIMITS no
        304 AUTOMATION_HALTED no
        305 PROPOSAL_NOT_FOUND no
        306 STALE no
        307 CAMPAIGN_NOT_FOUND no
        308 PRICE_CHANGE_NOT_FOUND no
        309 CAMPAIGN_OVERLAPS no
        401 USER_NOT_FOUND no
        402 EMAIL_TAKEN no
        403 PHONE_TAKEN no
        404 BAD_CREDENTIALS no
        405 LOGIN_EXPIRED no
        501 REPORT_NOT_FOUND no
        502 NOT_A_SANDBOX no
        """

    @Test
    func `It is the contract's table, no more and no less`() {
        let wanted = Self.contract.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(
            Set(ErrorCode.all.map { "\($0.code) \($0.reason)" }) == Set(wanted.map { "\($0[0]) \($0[1])" })
        )
        for line in wanted where line[2] != "maybe" {
            let code = ErrorCode.all.first { $0.reason == line[1] }
            #expect(code?.isRetryable == (line[2] == "yes"), "\(line[1])")
        }
    }

    @Test
    func `A reason names one error, and every error says what it means and what to do`() {
        #expect(Set(ErrorCode.all.map(\.reason)).count == ErrorCode.all.count)
        for code in ErrorCode.all {
            #expect(code.reason.wholeMatch(of: /[A-Z]+(_[A-Z]+)*/) != nil, "\(code.reason)")
            #expect(code.meaning.hasSuffix(".") && code.remedy.hasSuffix("."), "\(code.reason)")
        }
    }

    @Test
    func `A code of the domain belongs to one reason`() {
        let domain = ErrorCode.all.filter { $0.code > 0 }
        #expect(Set(domain.map(\.code)).count == domain.count)
        for code in domain { #expect(ErrorCode.domain(code.code) == code) }
        for code in [0, 1, 100, 999, -32602, -1] { #expect(ErrorCode.domain(code) == nil) }
    }

    @Test
    func `Every declared error is in the registry, once a method and not among those that any call meets`() {
        for method in AllMethods.list {
            #expect(Set(method.errors).count == method.errors.count, "\(method.name)")
            for code in method.errors {
                #expect(ErrorCode.all.contains(code), "\(method.name): \(code.reason)")
                #expect(code.code > 0 || [.unsupportedVersion, .subscriptionNotFound].contains(code), "\(method.name)")
            }
        }
    }

    @Test
    func `An error as a peer sees it holds reason and retryable, and its facts`() throws {
        let error = ErrorCode.insufficientStock.error(nil, ["productId": 7, "requested": 2, "available": 1])
        #expect(error.code == 201 && error.reason == "INSUFFICIENT_STOCK" && !error.retryable)
        #expect(error.message == ErrorCode.insufficientStock.meaning)
        #expect(ErrorCode.notReady.error("Not yet.").message == "Not yet.")
        #expect(ErrorCode.notReady.error().retryable)
    }
}
