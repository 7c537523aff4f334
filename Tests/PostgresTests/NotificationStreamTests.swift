import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer), .timeLimit(.minutes(5)))
struct NotificationStreamTests {
    private func notify(_ channel: String, _ payload: String, _ connection: PostgresConnection) async throws {
        try await connection.run { session throws(PostgresError) in
            _ = try session.run(.none("notify", "select pg_notify($1, $2)"), [.text(channel), .text(payload)])
        }
    }

    @Test
    func `Notifications arrive in order, and a lost connection is made again and told`() async throws {
        try await withDatabase { database, connection in
            let stream = try NotificationStream(
                database.settings.with("application_name", "listener"),
                channels: ["Woke", "b\"c"],
                logger: TestCluster.silence
            )
            var elements = stream.elements.makeAsyncIterator()
            #expect(await elements.next() == .listening)
            for (channel, payload) in [("Woke", "1"), ("b\"c", "2"), ("woke", "not ours"), ("Woke", "3")] {
                try await notify(channel, payload, connection)
            }
            for (channel, payload) in [("Woke", "1"), ("b\"c", "2"), ("Woke", "3")] {
                guard case .notification(let notification) = await elements.next() else {
                    Issue.record("a notification was due")
                    return
                }
                #expect(notification.channel == channel)
                #expect(notification.payload == payload)
            }
            try await connection.run { session throws(PostgresError) in
                try session.script(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener'"
                )
            }
            #expect(await elements.next() == .listening)
            try await notify("Woke", "again", connection)
            guard case .notification(let again) = await elements.next() else {
                Issue.record("a notification was due")
                return
            }
            #expect(again.payload == "again")
            stream.stop()
            #expect(await elements.next() == nil)
        }
    }

    @Test
    func `What a slow consumer loses is followed by a call to catch up`() async throws {
        try await withDatabase { database, connection in
            let stream = try NotificationStream(
                database.settings,
                channels: ["wake", "done"],
                capacity: 4,
                logger: TestCluster.silence
            )
            var elements = stream.elements.makeAsyncIterator()
            #expect(await elements.next() == .listening)
            try await connection.run { session throws(PostgresError) in
                try session.script("select pg_notify('wake', n::text) from generate_series(1, 100) n")
            }
            var seen: [NotificationStream.Element] = []
            repeat {
                guard let element = await elements.next() else { break }
                seen.append(element)
            } while seen.last != .listening && seen.count < 100
            #expect(seen.last == .listening || seen.count == 100, "either nothing was lost or we are told")
            stream.stop()
        }
    }

    @Test
    func `Stopping ends a stream whose server is away`() async throws {
        let stream = try NotificationStream(
            ConnectionSettings(keywords: ["host": "/no/such/folder"]),
            channels: ["x"],
            logger: TestCluster.silence
        )
        stream.stop()
        var elements = stream.elements.makeAsyncIterator()
        #expect(await elements.next() == nil)
    }
}
