import Glibc
import JSON
import JSONRPC
import PricingClient
import Testing

@testable import pricing_bench

struct PaceTests {
    @Test
    func `A closed loop sends at once until the end`() {
        var pace = Pace(start: 100, seconds: 1, rate: nil)
        let end = 100 + Moment.second
        #expect(pace.next(now: 100) == 100)
        #expect(pace.next(now: end - 1) == end - 1)
        #expect(pace.next(now: end) == nil)
        #expect(pace.due == nil)
        #expect(!pace.isDone(now: end - 1))
        #expect(pace.isDone(now: end))
        #expect(pace.owed == 0)
    }

    @Test
    func `An open loop's calls keep the moment that they were due, however late they leave`() {
        var pace = Pace(start: 0, seconds: 1, rate: 4)
        let quarter = Moment.second / 4
        #expect(pace.next(now: 0) == 0)
        #expect(pace.next(now: quarter - 1) == nil)
        #expect(pace.due == quarter)
        let late = 10 * Moment.second
        #expect(!pace.isDone(now: late))
        #expect(pace.owed == 3)
        #expect(pace.next(now: late) == quarter)
        #expect(pace.next(now: late) == 2 * quarter)
        #expect(pace.next(now: late) == 3 * quarter)
        #expect(pace.next(now: late) == nil)
        #expect(pace.isDone(now: late))
        #expect(pace.owed == 0)
    }
}

struct SocketWatchTests {
    private let watch = SocketWatch(most: 2)
    private let near: Int32
    private let far: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        (near, far) = (ends[0], ends[1])
        try #require(watch.add(near, number: 7))
    }

    @Test
    func `A socket tells of input and of the other end's end, and of room only while that is asked for`() throws {
        defer { close(near) }
        #expect(watch.wait(milliseconds: 0).isEmpty)
        let bytes = [UInt8](repeating: 0, count: 1 << 20)
        #expect(unsafe write(far, bytes, 1) == 1)
        let input = try #require(watch.wait(milliseconds: 1000).first)
        #expect(input.number == 7 && input.hasInput && !input.hasRoom)
        var taken = bytes
        #expect(unsafe read(near, &taken, 1) == 1)
        let sent = unsafe write(near, bytes, bytes.count)
        #expect(sent > 0 && sent < bytes.count, "the socket has to be full")
        watch.change(near, number: 7, wantsRoom: true)
        #expect(watch.wait(milliseconds: 0).isEmpty)
        var left = sent
        while left > 0 {
            let count = unsafe read(far, &taken, taken.count)
            try #require(count > 0)
            left -= count
        }
        let room = try #require(watch.wait(milliseconds: 1000).first)
        #expect(room.hasRoom && !room.hasInput)
        watch.change(near, number: 7, wantsRoom: false)
        #expect(watch.wait(milliseconds: 0).isEmpty)
        close(far)
        #expect(try #require(watch.wait(milliseconds: 1000).first).hasInput)
    }

    @Test
    func `What is no socket cannot be watched`() {
        defer { [near, far].forEach { close($0) } }
        #expect(!watch.add(-1, number: 0))
    }
}

struct RequestTests {
    private static let shop = ShopIDs(customers: [7, 8], products: Array(100..<200))

    private func lines(_ work: Work, lines: Int = 1, count: Int = 1000) throws -> [Message.Request] {
        var requests = try Requests(work, shop: Self.shop, lines: lines)
        return try (0..<count).map { id in
            var bytes: [UInt8] = []
            requests.append(id: id, to: &bytes)
            #expect(bytes.last == UInt8(ascii: "\n"))
            guard case .request(let request) = Message(line: Array(bytes.dropLast())) else { throw NoRequest() }
            return request
        }
    }

    private struct NoRequest: Error {}

    private func products(_ requests: [Message.Request]) -> [Int64] {
        requests.compactMap { $0.params["lines"]?.array?.first?["productId"]?.integer }
    }

    @Test
    func `Each is a request of its method under its id`() throws {
        for (work, method) in [
            (Work.orders, "order.place"), (.prices, "price.get"), (.products, "product.get"),
            (.inventory, "inventory.get"), (.pings, "session.ping"),
        ] {
            let requests = try lines(work, count: 3)
            #expect(requests.map(\.method) == [method, method, method])
            #expect(requests.map(\.id) == [.integer(0), .integer(1), .integer(2)])
        }
        let order = try #require(try lines(.orders, lines: 3, count: 1).first)
        #expect(order.params["lines"]?.array?.count == 3)
        #expect(Self.shop.customers.contains(order.params["customerId"]?.integer ?? 0))
    }

    @Test
    func `Uniform orders reach every product, hot ones a single one, Zipf's the first most`() throws {
        #expect(Set(products(try lines(.orders, count: 5000))).count == 100)
        #expect(Set(products(try lines(.ordersHot))) == [100])
        let zipf = products(try lines(.ordersZipf, count: 10_000))
        func count(_ product: Int64) -> Int { zipf.count { $0 == product } }
        // 1/n over the hundredth harmonic number, 5.187.
        #expect((1700...2150).contains(count(100)))
        #expect((800...1130).contains(count(101)))
        #expect(Set(zipf).isSubset(of: Self.shop.products))
    }

    @Test
    func `A shop that lacks what is asked for is refused by name`() throws {
        #expect(throws: BenchFailure.lacks("product for sale")) { try Requests(.prices, shop: ShopIDs(), lines: 1) }
        #expect(throws: BenchFailure.lacks("customer")) {
            try Requests(.orders, shop: ShopIDs(customers: [], products: [1]), lines: 1)
        }
        _ = try Requests(.pings, shop: ShopIDs(), lines: 1)
    }
}

struct IncomingTests {
    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":17,"result":{"error":1}}"#, Incoming.reply(id: 17, refusal: nil)),
        (#"{"jsonrpc":"2.0","id":17,"method":"session.ping"}"#, .reply(id: 17, refusal: nil)),
        (
            #"{"jsonrpc":"2.0","id":3,"error":{"code":201,"message":"m","data":{"reason":"INSUFFICIENT_STOCK"}}}"#,
            .reply(id: 3, refusal: "INSUFFICIENT_STOCK")
        ),
        (
            #"{"jsonrpc":"2.0","id":31,"error":{"code":-32005,"message":"m","data":{"reason":"RESOURCE_EXHAUSTED"}}}"#,
            .reply(id: 31, refusal: "RESOURCE_EXHAUSTED")
        ),
        (#"{"jsonrpc":"2.0","method":"events.event","params":{}}"#, .notification),
        (#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m","data":{}}}"#, .other),
        (#"{"jsonrpc":"2.0","id":"#, .other), ("", .other),
    ])
    func `Replies, refusals, notifications and echoes are told apart`(line: String, expected: Incoming) {
        #expect(Incoming(line: Array(line.utf8)[...]) == expected)
    }
}

struct LoadReportTests {
    private static let plan = LoadPlan(work: .orders, connections: 2, depth: 4, seconds: 2, rate: 50)

    @Test
    func `Percentiles, throughput and refusals by reason`() {
        var report = LoadReport(Self.plan)
        for n in 1...1000 { report.note(latency: Int64(n) * Moment.millisecond, refusal: nil, isInTime: n <= 900) }
        report.note(latency: Moment.millisecond, refusal: "PRICE_CHANGED", isInTime: true)
        #expect(report.answered == 1001)
        #expect(report.perSecond == 450)
        #expect(abs((report.milliseconds(50, refused: "PRICE_CHANGED") ?? 0) - 1) < 0.002)
        for (percent, milliseconds) in [(50, 500.0), (90, 900), (99, 990), (99.9, 999), (100, 1000)] {
            // Three digits are kept.
            #expect(abs((report.milliseconds(percent) ?? 0) / milliseconds - 1) < 0.002, "\(percent)")
        }
        let json = report.json
        #expect(json["refused"] == ["PRICE_CHANGED": 1])
        #expect(json["rate"] == .decimal("50.000"))
        #expect(json["latencyMs"]?.object?.keys == ["p50", "p90", "p99", "p99.9", "max"])
        #expect(report.lines.contains("refused      1  PRICE_CHANGED, median 1.000 ms"))
    }

    @Test
    func `A latency beyond all bounds is kept as the longest, a load without an answer has none`() throws {
        var report = LoadReport(Self.plan)
        #expect(report.milliseconds(50) == nil)
        #expect(report.json["latencyMs"]?["max"] == .null)
        report.note(latency: .max, refusal: nil, isInTime: false)
        report.note(latency: -1, refusal: nil, isInTime: false)
        #expect(report.answered == 2)
        #expect(report.perSecond == 0)
        #expect(try #require(report.milliseconds(100)) >= 7_200_000)
    }

    @Test(arguments: [(0.0, "0.000"), (1.0006, "1.001"), (-2.5, "-2.500"), (0.9996, "1.000"), (12345.678, "12345.678")])
    func `Numbers have three digits after the point`(value: Double, text: String) {
        #expect(JSONValue.number(value) == .decimal(text))
        #expect(JSONValue.number(.nan) == .null)
    }
}
