import JSONRPC

/// What one line from the daemon says, as far as a load cares. A result is not read any further: the client must cost
/// less than what it measures.
enum Incoming: Equatable {
    /// The reply to a call; `refusal` is the reason of an error.
    case reply(id: Int, refusal: String?)
    /// A notification.
    case notification
    /// No message for us.
    case other

    private static let head = Array("{\"jsonrpc\":\"2.0\",\"id\":".utf8)
    private static let notice = Array("{\"jsonrpc\":\"2.0\",\"method\":".utf8)
    private static let failure = Array(",\"error\":".utf8)
    /// Under overload most replies are of this kind.
    private static let exhausted = TransportCode.resourceExhausted
    private static let exhaustion = Array(",\"error\":{\"code\":\(exhausted.code),".utf8)

    init(line: ArraySlice<UInt8>) {
        if line.starts(with: Self.notice) {
            self = .notification
            return
        }
        guard line.starts(with: Self.head) else {
            self = .other
            return
        }
        let digits = line.dropFirst(Self.head.count).prefix(9).prefix {
            $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
        }
        let rest = line[digits.endIndex...]
        let isExhaustion = rest.starts(with: Self.exhaustion)
        if digits.isEmpty || (!isExhaustion && rest.starts(with: Self.failure)) {
            self = Self.refusal(Array(line))
        } else {
            let id = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            self = .reply(id: id, refusal: isExhaustion ? Self.exhausted.reason : nil)
        }
    }

    private static func refusal(_ line: [UInt8]) -> Incoming {
        guard case .response(let response) = Message(line: line), case .integer(let id)? = response.id,
            case .error(let error) = response.body
        else { return .other }
        return .reply(id: Int(id), refusal: error.reason)
    }
}
