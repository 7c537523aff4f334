import Foundation
import JSON
import PricingTestSupport
import Testing

extension EndToEnd {
    /// The event stream when much happens: the quick reader misses nothing, the slow one gets what it declared, and its
    /// slowness costs the daemon a bounded memory and other clients nothing.
    @Suite
    struct EventLoadTests {
        private static let isLong = ProcessInfo.processInfo.environment["PRICINGD_LONG"] != nil
        private static let products = 1000
        /// How often every product moves.
        private static let rounds = isLong ? 100 : 20
        private static let events = products * rounds

        /// A shop whose stock moves and whose prices do not, so that events are numbered without gaps.
        private struct Stage {
            let daemon: TestDaemon
            let psql: Psql

            /// - Parameter softSeconds: how long a reader may take too little before it counts as slow.
            init(softSeconds: Int? = nil) async throws {
                daemon = try await TestDaemon.start(
                    arguments: softSeconds.map { ["--limit", "outputSoftSeconds=\($0)"] } ?? []
                )
                psql = try await daemon.psql(as: "postgres")
                try await psql.run(
                    """
                    insert into category (name) values ('Things');
                    insert into product (title, category_id, base_price, floor_price, ceiling_price, rule_id)
                    select 'Thing', 1, 10, 5, 20, rule_id
                    from rule, generate_series(1, \(products)) where name = 'manual' and status = 'active';
                    """
                )
                // So that everything from here on is one stream.
                let client = try await daemon.client()
                _ = try await client.call("events.list", ["limit": 1])
                await client.close()
            }

            /// Moves every product so often, past the daemon.
            func move(rounds: Int) async throws {
                for _ in 0..<rounds { try await psql.run("update inventory set stock = stock + 1") }
            }

            /// A subscriber that reads nothing until it is told to.
            func deafSubscriber(overflow: String) async throws -> LineClient {
                let deaf = try daemon.lines(reads: false)
                deaf.send(
                    #"{"jsonrpc":"2.0","id":1,"method":"events.subscribe","params":{"overflow":"\#(overflow)"}}"#
                )
                let client = try await daemon.client()
                while try await client.call("server.status")["queues"]?["subscriptions"] != 1 { await Task.yield() }
                await client.close()
                return deaf
            }

            /// Waits until the reader that takes nothing counts as slow, or has lost its subscription for it.
            func untilSlow() async throws {
                let client = try await daemon.client()
                while true {
                    let queues = try await client.call("server.status")["queues"]
                    if queues?["slowSubscriptions"] == 1 || queues?["subscriptions"] == 1 { break }
                    await Task.yield()
                }
                await client.close()
            }

            /// The daemon's memory in KiB, now or at most so far.
            func memory(_ line: String) throws -> Int {
                let status = try String(contentsOfFile: "/proc/\(daemon.program.pid)/status", encoding: .utf8)
                let row = status.split(separator: "\n").first { $0.hasPrefix(line) }
                return try #require(row?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) })
            }
        }

        /// Reads so many events, each numbered one above the last: the number of the last.
        private func read(_ count: Int, after start: Int64, from watch: Watch) async throws -> Int64 {
            var last = start
            for _ in 0..<count {
                let sequence = try #require(try await watch.next()["sequence"]?.integer)
                try #require(sequence == last + 1, "none missed, none twice, in order")
                last = sequence
            }
            return last
        }

        @Test(arguments: ["conflate", "gap", "disconnect"])
        func `a slow reader gets what it declared and a quick one all`(overflow: String) async throws {
            let stage = try await Stage(softSeconds: 2)
            let before = try stage.memory("VmRSS")
            let deaf = try await stage.deafSubscriber(overflow: overflow)
            let watch = try await Watch(stage.daemon, [:])
            let start = ContinuousClock.now
            async let moved: Void = stage.move(rounds: Self.rounds)
            let last = try await read(Self.events, after: watch.start, from: watch)
            try await moved
            let peak = try stage.memory("VmHWM") - before
            print(
                "\(overflow): \(Self.events) events in \(ContinuousClock.now - start), memory grew \(peak) KiB at most"
            )
            #expect(peak < 64 << 10, "the output of one peer is bounded by 8 MiB")
            try await stage.untilSlow()

            // It is served on: later changes reach every subscriber that is left.
            var messages: [JSONValue] = []
            deaf.startReading()
            let end = last + Int64(overflow == "disconnect" ? 0 : 1)
            while let line = await deaf.line() {
                let message = try JSONParser.parse(Array(line.utf8))
                guard message["method"] != nil else { continue }
                messages.append(message)
                if message["method"] == "events.closed" { break }
                let told = message["params"]?["sequence"] ?? message["params"]?["toSequence"]
                if told?.integer == last {
                    try await stage.psql.run("update inventory set stock = 0 where product_id = 1")
                }
                if told?.integer == end { break }
            }
            switch overflow {
            case "conflate": expectConflated(messages, from: watch.start, to: end)
            case "gap": expectGaps(messages, from: watch.start, to: end)
            default: expectEnd(messages, from: watch.start, before: last)
            }
            await watch.close()
        }

        /// All events up to the overflow, then the last one of each product, in order.
        private func expectConflated(_ messages: [JSONValue], from start: Int64, to end: Int64) {
            #expect(messages.allSatisfy { $0["method"] == "events.event" })
            let events = messages.compactMap { $0["params"] }
            let numbers = events.compactMap { $0["sequence"]?.integer }
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
            let whole = zip(numbers, (start + 1)...).prefix { $0 == $1 }.count
            #expect(whole < Self.events, "something was conflated")
            var stock: [Int64: Int64] = [:]
            for event in events.dropLast() {
                if let key = event["key"]?.integer { stock[key] = event["after"]?["stock"]?.integer }
            }
            #expect(stock.count == Self.products)
            #expect(stock.values.allSatisfy { $0 == Int64(Self.rounds) }, "each product's last event came")
            let late = events.dropFirst(whole).dropLast().compactMap { $0["key"]?.integer }
            #expect(Set(late).count == late.count, "and of what was missed nothing else")
            #expect(numbers.last == end)
        }

        /// Every number is an event or stands in a gap that was told, never both.
        private func expectGaps(_ messages: [JSONValue], from start: Int64, to end: Int64) {
            var last = start
            var gaps = 0
            for message in messages {
                let params = message["params"]
                if message["method"] == "events.gap" {
                    gaps += 1
                    #expect(params?["fromSequence"] == .integer(last + 1))
                    #expect(params?["reason"] == "SLOW_READER")
                    last = params?["toSequence"]?.integer ?? 0
                } else {
                    #expect(params?["sequence"] == .integer(last + 1))
                    last = params?["sequence"]?.integer ?? 0
                }
            }
            #expect(gaps > 0)
            #expect(last == end)
        }

        /// All events up to the overflow, then `events.closed` and no more.
        private func expectEnd(_ messages: [JSONValue], from start: Int64, before end: Int64) {
            let numbers = messages.dropLast().compactMap { $0["params"]?["sequence"]?.integer }
            #expect(numbers == Array(start + 1..<start + 1 + Int64(messages.count - 1)))
            #expect(numbers.last.map { $0 < end } == true)
            #expect(messages.last?["method"] == "events.closed")
            #expect(messages.last?["params"]?["reason"] == "SLOW_READER")
        }

        /// One who catches up with the whole stream does not keep the newest events from the others.
        @Test func `catching up does not delay other subscribers`() async throws {
            let stage = try await Stage(softSeconds: 600)
            let watch = try await Watch(stage.daemon, [:])
            try await stage.move(rounds: Self.rounds)
            var last = try await read(Self.events, after: watch.start, from: watch)
            let late = try await Watch(stage.daemon, ["from": .integer(watch.start)])
            try await stage.move(rounds: 1)
            last = try await read(Self.products, after: last, from: watch)
            let backlog = Self.events + Self.products
            #expect(try await read(backlog, after: watch.start, from: late) == last, "nothing was left out")
            await watch.close()
            await late.close()
        }

        /// Who reads on before it counts as slow has them all, whatever it declared.
        @Test(arguments: ["conflate", "gap", "disconnect"])
        func `a reader that pauses misses nothing`(overflow: String) async throws {
            let stage = try await Stage(softSeconds: 600)
            let pausing = try await stage.deafSubscriber(overflow: overflow)
            let watch = try await Watch(stage.daemon, [:])
            try await stage.move(rounds: Self.rounds)
            let last = try await read(Self.events, after: watch.start, from: watch)
            pausing.startReading()
            var expected = watch.start
            while expected < last, let line = await pausing.line() {
                let message = try JSONParser.parse(Array(line.utf8))
                guard message["method"] != nil else { continue }
                expected += 1
                try #require(message["params"]?["sequence"] == .integer(expected))
            }
            #expect(expected == last)
            await watch.close()
        }

        /// In the middle of much, after a reconnect and after a crash of the daemon.
        @Test func `a subscriber resumes in the middle`() async throws {
            let stage = try await Stage()
            var watch = try await Watch(stage.daemon, [:])
            let start = watch.start
            try await stage.move(rounds: Self.rounds)
            var last = try await read(Self.events / 4, after: start, from: watch)
            await watch.close()
            watch = try await Watch(stage.daemon, ["from": .integer(last)])
            last = try await read(Self.events / 4, after: last, from: watch)
            await stage.daemon.kill9()
            try await stage.daemon.restart()
            watch = try await Watch(stage.daemon, ["from": .integer(last)])
            last = try await read(Self.events - Self.events / 4 * 2, after: last, from: watch)
            #expect(last == start + Int64(Self.events))
            await watch.close()
        }

        /// The time that a quick reader waits for all events, alone and beside one that never reads.
        @Test func `a reader that never reads costs nothing`() async throws {
            let stage = try await Stage()
            func time() async throws -> Duration {
                let watch = try await Watch(stage.daemon, [:])
                let start = ContinuousClock.now
                async let moved: Void = stage.move(rounds: Self.rounds)
                _ = try await read(Self.events, after: watch.start, from: watch)
                try await moved
                await watch.close()
                return ContinuousClock.now - start
            }
            let alone = try await time()
            let deaf = try await stage.deafSubscriber(overflow: "conflate")
            let beside = try await time()
            print("beside a reader that never reads: \(beside / alone) times the time of \(alone)")
            #expect(beside / alone < 5)
            withExtendedLifetime(deaf) {}
        }
    }
}
