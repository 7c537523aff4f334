package import JSON

/// The content of one line.
package enum Message: Sendable, Equatable {
    case request(Request)
    /// A call without an id: it is never answered.
    case notification(method: String, params: JSONObject)
    /// The messages of an array, in order; none of them is a batch itself.
    case batch([Message])
    case response(Response)
    /// A notification that cannot be carried out (positional parameters). Notifications are never answered.
    case ignored
    /// No message. It is answered with the error, and with its id where one could be recovered.
    case malformed(id: RequestID?, error: RPCError)

    /// A call that wants a reply.
    package struct Request: Sendable, Equatable {
        package let id: RequestID
        package let method: String
        /// The parameters by name; empty when absent.
        package let params: JSONObject
    }

    /// A reply to one of our own calls.
    package struct Response: Sendable, Equatable {
        /// The call it answers; nil when the peer could not tell.
        package let id: RequestID?
        package let body: Body
    }

    /// The outcome in a reply.
    package enum Body: Sendable, Equatable {
        case result(JSONValue)
        case error(RPCError)
    }

    /// Reads one line. Never fails: a line that is no message is `.malformed`.
    package init(line: Span<UInt8>, limits: TransportLimits = .defaults) {
        do {
            self = .init(try JSONParser.parse(line, nesting: limits.nesting), limits: limits)
        } catch {
            switch error.kind {
            case .duplicateKey(let key):
                let error = RPCError.invalidRequest(
                    "An object has the same key twice.",
                    data: ["key": .string(key), "byteOffset": .integer(Int64(error.byteOffset))]
                )
                self = .malformed(id: RecoveredID.find(in: line, limit: limits.idBytes), error: error)
            case .tooDeep(let limit):
                let error = RPCError.messageTooLarge(.nesting, value: limit, actual: limit + 1)
                self = .malformed(id: RecoveredID.find(in: line, limit: limits.idBytes), error: error)
            case .syntax, .invalidUTF8, .loneSurrogate:
                self = .malformed(id: nil, error: .parseError(error))
            }
        }
    }

    /// Reads one line.
    package init(line: [UInt8], limits: TransportLimits = .defaults) {
        self.init(line: line.span, limits: limits)
    }

    private init(_ value: JSONValue, limits: TransportLimits) {
        guard case .array(let elements) = value else {
            self = .single(value, limits: limits)
            return
        }
        if elements.isEmpty {
            self = .malformed(id: nil, error: .invalidRequest("A batch holds at least one message."))
        } else if elements.count > limits.batch {
            let error = RPCError.messageTooLarge(.batch, value: limits.batch, actual: elements.count)
            self = .malformed(id: nil, error: error)
        } else {
            self = .batch(elements.map { .single($0, limits: limits) })
        }
    }

    private static func single(_ value: JSONValue, limits: TransportLimits) -> Message {
        guard case .object(let members) = value else {
            return .malformed(id: nil, error: .invalidRequest("A message is an object."))
        }
        var id: RequestID?
        let isReply = members["method"] == nil && (members["result"] != nil || members["error"] != nil)
        if let sent = members["id"], !(isReply && sent.isNull) {
            do {
                id = try RequestID(sent, limit: limits.idBytes)
            } catch {
                return .malformed(id: nil, error: error)
            }
        }
        guard members["jsonrpc"]?.string == "2.0" else {
            return .malformed(id: id, error: .invalidRequest("The member jsonrpc is the string 2.0."))
        }
        if isReply { return response(id, members) }
        guard let method = members["method"]?.string else {
            return .malformed(id: id, error: .invalidRequest("The member method is a string."))
        }
        let params: JSONObject
        switch members["params"] {
        case nil: params = [:]
        case .object(let object): params = object
        case .array:
            // Well-formed JSON-RPC, so without an id it is a notification, which is never answered.
            guard id != nil else { return .ignored }
            return .malformed(id: id, error: .positionalNotSupported)
        default: return .malformed(id: id, error: .invalidRequest("The member params is an object."))
        }
        guard let id else { return .notification(method: method, params: params) }
        return .request(Request(id: id, method: method, params: params))
    }

    private static func response(_ id: RequestID?, _ members: JSONObject) -> Message {
        switch (members["result"], members["error"]) {
        case (let result?, nil):
            return .response(Response(id: id, body: .result(result)))
        case (nil, .object(let error)):
            if let error = RPCError(json: error) { return .response(Response(id: id, body: .error(error))) }
            fallthrough
        default:
            return .malformed(id: id, error: .invalidRequest("A reply has either a result or an error object."))
        }
    }
}

extension Message {
    /// The notification by which a caller asks for one of its calls to be cancelled.
    package static let cancelRequest = "$/cancelRequest"
    /// The notification that tells how far a call has come.
    package static let progress = "$/progress"
}
