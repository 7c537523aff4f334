import HTTPTypes

/// What a visitor means to buy. It lies in a cookie of the browser's: product, units, and the price at which it was put in, so
/// that a price that moved since can be shown as moved.
struct Cart: Sendable {
    struct Line: Sendable, Equatable {
        let productId: Int64
        var quantity: Int64
        /// The price that was shown when it was put in.
        var price: String
    }

    /// As many lines as an order may have, within what a cookie holds.
    static let mostLines = 50
    static let mostUnits: Int64 = 10_000
    private static let cookie = "cart"

    private(set) var lines: [Line] = []

    /// Reads what the browser sent; what is no line is left out.
    init(_ headers: HTTPFields) {
        for text in (Cookies.value(Cart.cookie, headers) ?? "").split(separator: "~").prefix(Cart.mostLines) {
            let parts = text.split(separator: "_", omittingEmptySubsequences: false)
            guard parts.count == 3, let id = Int64(parts[0]), id > 0, let quantity = Int64(parts[1]),
                (1...Cart.mostUnits).contains(quantity), Cart.isPrice(parts[2]), self[id] == nil
            else { continue }
            lines.append(Line(productId: id, quantity: quantity, price: String(parts[2])))
        }
    }

    private static func isPrice(_ text: Substring) -> Bool {
        text.wholeMatch(of: /[0-9]{1,12}\.[0-9]{2}/) != nil
    }

    var units: Int64 { lines.reduce(0) { $0 + $1.quantity } }
    var isEmpty: Bool { lines.isEmpty }

    subscript(productId: Int64) -> Line? { lines.first { $0.productId == productId } }

    /// Sets how many of a product are wanted; none takes it out.
    mutating func set(_ productId: Int64, _ quantity: Int64, price: String) {
        let quantity = min(quantity, Cart.mostUnits)
        guard quantity > 0 else {
            lines.removeAll { $0.productId == productId }
            return
        }
        if let index = lines.firstIndex(where: { $0.productId == productId }) {
            lines[index].quantity = quantity
            lines[index].price = price
        } else if lines.count < Cart.mostLines {
            lines.append(Line(productId: productId, quantity: quantity, price: price))
        }
    }

    mutating func clear() { lines = [] }

    /// What the browser keeps, for thirty days.
    var setCookie: String {
        let text = lines.map { "\($0.productId)_\($0.quantity)_\($0.price)" }.joined(separator: "~")
        return "\(Cart.cookie)=\(text); Path=/; Max-Age=\(lines.isEmpty ? 0 : 2_592_000); HttpOnly; SameSite=Lax"
    }
}
