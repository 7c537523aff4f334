import JSON
import JSONRPC
import PricingProtocol

/// Why a call gave no result.
enum CallFailure: Error {
    /// The server answered with an error.
    case refused(RPCError)
    /// There is no connection, or it was lost; the text says more.
    case disconnected(String)

    /// How the program ends for this.
    var status: ExitStatus {
        switch self {
        case .disconnected: .noConnection
        case .refused(let error):
            [ErrorCode.cancelled.code, ErrorCode.deadlineExceeded.code].contains(error.code) ? .cancelled : .callFailed
        }
    }

    /// One line for people: `error 201 INSUFFICIENT_STOCK: message (productId=1, requested=5)`.
    var line: String {
        switch self {
        case .disconnected(let reason): return "error: no connection: \(DisplayText.safe(reason))"
        case .refused(let error):
            var line = "error \(error.code) \(error.reason): \(error.message)"
            let details = Self.details(of: error)
            if !details.isEmpty { line += " (" + details.joined(separator: ", ") + ")" }
            return DisplayText.safe(line)
        }
    }

    private static func details(of error: RPCError) -> [String] {
        var details: [String] = []
        // What would change instead is a table of its own.
        for (name, value) in error.data where name != "wouldChange" {
            if name == "violations", let violations = value.array {
                // The message says the first one already.
                details += violations.compactMap(\.object).compactMap(allowed)
                details += violations.compactMap(\.object).map(violation).filter { !error.message.contains($0) }
            } else {
                details += Grid.flattened([name: value]).filter { !$0.1.text.isEmpty }.map { "\($0.0)=\($0.1.text)" }
            }
        }
        if let wait = error.retryAfterMs { details.append("retryAfterMs=\(wait)") }
        return details
    }

    /// `limit: at most 500`, for what is out of its range.
    private static func allowed(_ violation: JSONObject) -> String? {
        let words = ["minimum": "at least", "maximum": "at most"]
        guard let rule = violation["rule"]?.string, let word = words[rule], let bound = violation["expected"] else {
            return nil
        }
        return "\(violation["path"]?.string ?? ""): \(word) \(Grid.Cell(bound).text)"
    }

    private static func violation(_ violation: JSONObject) -> String {
        var text = violation["path"]?.string ?? ""
        if let message = violation["message"]?.string ?? violation["rule"]?.string { text += ": " + message }
        return text
    }
}
