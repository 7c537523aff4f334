import JSON
import JSONRPC
import PricingProtocol
import RPCTransport

/// What the daemon says about itself and its protocol.
struct SessionHandlers: Sendable {
    let identity: DaemonIdentity
    let limits: TransportLimits
    let roles: ConnectedRoles

    /// None of them waits for anything, so they are answered inline.
    var handlers: [String: Dispatcher.InlineHandler] {
        let document = JSONText(OpenRPCDocument.make(version: DaemonIdentity.version))
        return [
            "rpc.discover": { context in
                guard let name = context.params["method"]?.string else { return .forAll(document) }
                return .forAll(JSONText(OpenRPCDocument.make(version: DaemonIdentity.version, only: name)))
            },
            "session.ping": { _ in Answer(ofDaemon: .emptyObject) },
            "session.hello": { context throws(PricingFailure) in try hello(context) },
            "server.explain": { context throws(PricingFailure) in
                let reason = context.params["reason"]?.string
                guard let code = ErrorCode.all.first(where: { $0.reason == reason }) else {
                    let message = "there is no such reason"
                    let violation = Violation(path: "/reason", rule: "choice", message: message)
                    throw .refused(.invalidParams, message: nil, facts: ["violations": [violation.json]])
                }
                return Answer(ofDaemon: [
                    "reason": .string(code.reason), "code": .integer(Int64(code.code)),
                    "retryable": .bool(code.isRetryable), "meaning": .string(code.meaning),
                    "remedy": .string(code.remedy),
                ])
            },
        ]
    }

    private func hello(_ context: CallContext) throws(PricingFailure) -> Answer {
        if let range = context.params["protocol"]?.object, let least = range["min"]?.integer,
            let most = range["max"]?.integer, !(least <= ProtocolVersion.spoken && ProtocolVersion.spoken <= most)
        {
            throw .refused(.unsupportedVersion, message: nil, facts: ["supported": [.integer(ProtocolVersion.spoken)]])
        }
        var caller = context.caller
        if context.params["gateway"]?.bool == true, !caller.standing.isGateway {
            roles.becomeGateway(context.call.connection)
            caller = Caller(
                standing: Standing(role: caller.standing.role, isGateway: true),
                uid: caller.uid,
                person: caller.person
            )
        }
        return Answer(ofDaemon: [
            "protocol": .integer(ProtocolVersion.spoken),
            "server": [
                "name": "pricingd", "version": .string(DaemonIdentity.version),
                "instanceId": .string(identity.instanceID),
            ],
            "limits": .object(allLimits),
            "capabilities": [
                "idempotency": true, "dryRun": true, "cancel": true, "progress": true, "events": true, "batch": true,
                "sandbox": .bool(identity.isSandbox),
            ],
            "peer": [
                "uid": .integer(Int64(caller.uid)), "role": caller.role.map { .string($0.rawValue) } ?? .null,
                "audience": .string(caller.audience.rawValue),
            ],
            "gateway": .bool(caller.standing.isGateway),
        ])
    }

    /// The transport's limits, and those of the methods.
    private var allLimits: JSONObject {
        var all = limits.asJSON
        for limit in CallLimit.all { all[limit.name] = .integer(limit.value) }
        return all
    }
}
