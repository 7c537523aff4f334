import ArgumentParser
import PricingClient

/// What a load asks of the daemon.
enum Work: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// Orders over all products alike.
    case orders
    /// Orders whose first line is always the same product.
    case ordersHot = "orders-hot"
    /// Orders whose n-th product is asked for 1/n as often as the first.
    case ordersZipf = "orders-zipf"
    /// The price of one product at a time.
    case prices
    /// `product.get` of one product.
    case products
    /// `inventory.get` of one product.
    case inventory
    /// `session.ping`.
    case pings

    /// Whether it needs customers.
    var buys: Bool { [.orders, .ordersHot, .ordersZipf].contains(self) }
}

/// Makes the lines of a load. Same seed and shop, same lines.
struct Requests: Sendable {
    private let work: Work
    private let shop: ShopIDs
    private let lines: Int
    private var random: SplitMix64
    /// For `orders-zipf`: the weight of each product and all before it.
    private let weights: [Double]

    /// - Parameter lines: of each order, at least 1; lines on one product are summed by the daemon.
    /// - Throws: `.lacks` when the shop has nothing to ask for.
    init(_ work: Work, shop: ShopIDs, lines: Int, seed: UInt64 = 1) throws(BenchFailure) {
        if work != .pings, shop.products.isEmpty { throw .lacks("product for sale") }
        if work.buys, shop.customers.isEmpty { throw .lacks("customer") }
        self.work = work
        self.shop = shop
        self.lines = lines
        random = SplitMix64(seed: seed)
        var sum = 0.0
        weights =
            work != .ordersZipf
            ? []
            : shop.products.indices.map { index in
                sum += 1 / Double(index + 1)
                return sum
            }
    }

    /// Appends the next request under the given id, its LF included.
    mutating func append(id: Int, to bytes: inout [UInt8]) {
        bytes += "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"".utf8
        switch work {
        case .pings:
            bytes += "session.ping\"}\n".utf8
        case .prices:
            bytes += "price.get\",\"params\":{\"productIds\":[\(anyProduct())]}}\n".utf8
        case .products, .inventory:
            let noun = work == .products ? "product" : "inventory"
            bytes += "\(noun).get\",\"params\":{\"productId\":\(anyProduct())}}\n".utf8
        case .orders, .ordersHot, .ordersZipf:
            let customer = shop.customers[Int.random(in: shop.customers.indices, using: &random)]
            bytes += "order.place\",\"params\":{\"customerId\":\(customer),\"lines\":[".utf8
            for line in 0..<lines {
                if line > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += "{\"productId\":\(product(line)),\"quantity\":1}".utf8
            }
            bytes += "]}}\n".utf8
        }
    }

    private mutating func product(_ line: Int) -> Int64 {
        switch work {
        case .ordersHot where line == 0: return shop.products[0]
        case .ordersZipf:
            let wanted = Double.random(in: 0..<(weights.last ?? 1), using: &random)
            var (low, high) = (0, weights.count - 1)
            while low < high {
                let middle = (low + high) / 2
                if weights[middle] > wanted { high = middle } else { low = middle + 1 }
            }
            return shop.products[low]
        default: return anyProduct()
        }
    }

    private mutating func anyProduct() -> Int64 {
        shop.products[Int.random(in: shop.products.indices, using: &random)]
    }
}
