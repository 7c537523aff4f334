import Testing

@testable import Postgres

struct ConnectionSettingsTests {
    @Test
    func `A URI and a keyword string mean the same`() throws {
        let uri = try ConnectionSettings(url: "postgresql://me:s3cret@db.example:5433/shop?application_name=x")
        #expect(uri.host == "db.example")
        #expect(uri.port == "5433")
        #expect(uri.database == "shop")
        #expect(uri.user == "me")
        #expect(uri.keywords["password"] == "s3cret")
        #expect(
            try ConnectionSettings(url: "host=/run/pg dbname=shop").keywords == ["host": "/run/pg", "dbname": "shop"]
        )
        #expect(try ConnectionSettings(url: "").keywords.isEmpty)
    }

    @Test
    func `No password is ever shown, not even in a refusal`() throws {
        let settings = try ConnectionSettings(url: "postgresql://me:s3cret@h/d").with("sslpassword", "s3cret2")
        #expect(!settings.description.contains("s3cret"))
        #expect(!"\(settings)".contains("s3cret"))
        #expect(settings.description == "dbname=d host=h password=*** sslpassword=*** user=me")
        let error = #expect(throws: PostgresError.self) { try ConnectionSettings(url: "password='s3cret") }
        #expect(error?.kind == .settings)
        #expect(error?.description.contains("s3cret") == false)
    }

    @Test
    func `Each host is an attempt of its own; prefer-standby is two rounds`() throws {
        let settings = try ConnectionSettings(url: "postgresql://a:1,b:2/d?target_session_attrs=prefer-standby")
        let attempts = settings.attempts()
        #expect(attempts.map(\.host) == ["a", "b", "a", "b"])
        #expect(attempts.map(\.port) == ["1", "2", "1", "2"])
        #expect(attempts.map { $0.keywords["target_session_attrs"] } == ["standby", "standby", "any", "any"])
        let shared = ConnectionSettings(keywords: ["host": "a,b", "port": "7"])
        #expect(shared.attempts().map(\.port) == ["7", "7"])
        #expect(shared.attempts(preferring: shared.with("host", "b")).map(\.host) == ["b", "a"])
        #expect(shared.attempts(preferring: shared.with("host", "c")).map(\.host) == ["a", "b"])
        let one = ConnectionSettings(keywords: ["host": "a"])
        #expect(one.attempts() == [one])
    }
}
