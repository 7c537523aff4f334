import JSON
import Testing

@testable import pricing_repl

/// The connection as a state machine, and what is said of a call that met a loss.
struct ReplLinkTests {
    private let start = ContinuousClock.now

    @Test func `attempts are twice as far apart each time, and at most a second`() {
        var link = Link()
        #expect(link.pause == .zero)
        var pauses: [Duration] = []
        for _ in 0..<8 {
            link.failed(at: start)
            pauses.append(link.pause)
        }
        #expect(pauses == [0, 50, 100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
    }

    @Test func `the prompt says for how long the daemon is away, and the first connection is no return`() {
        var link = Link()
        #expect(link.prompt(at: start) == "pricing> ")
        #expect(link.connected(at: start) == nil)
        link.failed(at: start)
        link.failed(at: start + .seconds(1))
        #expect(link.prompt(at: start + .seconds(3)) == "pricing ⟂ 3 s> ")
        #expect(link.prompt(at: start + .seconds(300), isPlain: true) == "pricing offline 5 min> ")
        #expect(link.connected(at: start + .seconds(4)) == .seconds(4))
        #expect(link.prompt(at: start + .seconds(4)) == "pricing> ")
    }

    @Test func `a subscription goes on after the last event that was seen`() {
        var link = Link()
        let wanted: JSONObject = ["topics": ["stock"], "fromTime": "2026-01-01T00:00:00Z", "snapshot": true]
        link.subscribed(wanted, reply: ["subscription": "s1", "sequence": 10])
        #expect(link.subscriptions[0].resumption == ["topics": ["stock"], "from": 10])
        link.saw(["subscription": "s1", "sequence": 12])
        link.saw(["subscription": "s2", "sequence": 99])
        link.saw(["subscription": "s1", "fromSequence": 13, "toSequence": 20, "reason": "EXPIRED"])
        #expect(link.subscriptions[0].sequence == 20)
        link.renamed("s1", reply: ["subscription": "s7"])
        link.saw(["subscription": "s7", "sequence": 21])
        #expect(link.subscriptions[0].resumption == ["topics": ["stock"], "from": 21])
        link.ended("s7")
        #expect(link.subscriptions.isEmpty)
    }

    @Test func `a write gets a key and an actor, unless they are given`() throws {
        let write = try #require(catalogue(effect: "write")["a.b"])
        let signed = CallSigning.sign(["x": 1], of: write)
        let key = try #require(CallSigning.key(of: signed))
        #expect(key.hasPrefix("repl-"))
        #expect(signed["_meta"]?["actor"]?.string != nil)
        #expect(CallSigning.key(of: CallSigning.sign(["x": 1], of: write)) != key)
        let given: JSONObject = ["_meta": ["idempotencyKey": "k", "actor": "ada"]]
        #expect(CallSigning.sign(given, of: write) == given)
        #expect(CallSigning.sign(["_meta": ["login": "t"]], of: write)["_meta"]?["actor"] == nil)
        #expect(CallSigning.key(of: CallSigning.sign(["_meta": ["dryRun": true]], of: write)) == nil)
        let read = try #require(catalogue(effect: "read")["a.b"])
        #expect(CallSigning.sign(["x": 1], of: read) == ["x": 1])
        let session = catalogue(effect: "session")["a.b"]
        #expect([read, write, session].map { CallSigning.maySendAgain([:], $0) } == [true, false, false])
        #expect(CallSigning.maySendAgain(signed, write))
    }

    @Test func `a write with a secret gets no key`() throws {
        let method = try #require(catalogue(effect: "write", isSecret: true)["a.b"])
        #expect(CallSigning.key(of: CallSigning.sign(["x": "1"], of: method)) == nil)
        #expect(catalogue(effect: "write", isSecret: true).secrets.contains("x"))
    }

    @Test func `what became of a call is said`() {
        let away = Duration.milliseconds(1840)
        #expect(LostCall.outcome(of: [:], key: nil, after: away) == "  back after 1.8 s")
        #expect(
            LostCall.outcome(of: ["_meta": ["replayed": true]], key: "k", after: away)
                == "  back after 1.8 s: it had been done, once (key k)"
        )
        #expect(
            LostCall.outcome(of: ["_meta": ["replayed": false]], key: "k", after: away)
                == "  back after 1.8 s: it had not been done; it is now, once (key k)"
        )
        #expect(LostCall.missedText(["items": [1, 2]], after: 9) == "events: 2 missed while away, shown from 10")
        #expect(LostCall.missedText(["items": []], after: 9) == "events: none missed while away, they go on after 9")
    }

    private func catalogue(effect: String, isSecret: Bool = false) -> MethodCatalogue {
        MethodCatalogue(document: [
            "methods": [
                [
                    "name": "a.b", "x-effect": .string(effect),
                    "params": [["name": "x", "schema": ["type": "string", "writeOnly": .bool(isSecret)]]],
                ]
            ]
        ])
    }
}
