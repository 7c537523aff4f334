import Glibc
import JSONRPC
import PricingClient
import RPCTransport
import Testing

struct ClientFailureTests {
    @Test func `no connection is a sentence that names the socket and the reason, and exit code 2`() {
        let error = RPCClientError.cannotConnect(path: "/run/x", errno: ENOENT)
        #expect(
            ClientFailure.sentence(error)
                == "no daemon answers at /run/x (No such file or directory); is pricingd running?"
        )
        #expect(ClientFailure.exitCode(error) == 2)
        // A daemon may well run there.
        let shut = ClientFailure.sentence(RPCClientError.cannotConnect(path: "/run/x", errno: EACCES))
        #expect(shut.hasPrefix("/run/x is not for you") && !shut.contains("is pricingd running?"))
        #expect(ClientFailure.sentence(RPCClientError.notTrusted(path: "/tmp/x", uid: 7)).contains("by uid 7"))
    }

    @Test func `an error reply is its message and reason, and exit code 1`() {
        let error = RPCError(code: 101, reason: "NOT_FOUND", message: "There is no such product.")
        #expect(ClientFailure.sentence(error) == "There is no such product. (NOT_FOUND)")
        #expect(ClientFailure.exitCode(error) == 1)
    }
}
