import Postgres
import PricingTestSupport
import Testing

@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct PasswordTests {
    @Test
    func `A password is kept as bcrypt of cost 10, salted, and opens the account`() async throws {
        try await Shop.with { shop in
            for number in 1...2 {
                _ = try await shop.value(
                    #"select user_create('{"fullName": "A", "email": "a\#(number)@example.com", "password": "correct horse"}')"#
                )
            }
            let hashes = try await shop.rows("select password_hash from app_user")
            #expect(hashes.allSatisfy { $0.hasPrefix("$2a$10$") && $0.count == 60 })
            #expect(Set(hashes).count == 2)
            #expect(try await signIn(shop, "A1@Example.com", "correct horse") == nil)
        }
    }

    @Test
    func `Wrong password, unknown address, no password, deleted user: one and the same refusal`() async throws {
        try await Shop.with { shop in
            for user in [
                #"{"fullName": "A", "email": "a@example.com", "password": "correct horse"}"#,
                #"{"fullName": "B", "email": "b@example.com"}"#,
                #"{"fullName": "C", "email": "c@example.com", "password": "correct horse"}"#,
            ] { _ = try await shop.value("select user_create($1::jsonb)", [.text(user)]) }
            try await shop.run("select user_delete('{\"userId\": 3}')")
            var messages: Set<String> = []
            for (email, password) in [
                ("a@example.com", "Correct horse"), ("a@example.com", ""), ("nobody@example.com", "correct horse"),
                ("b@example.com", ""), ("b@example.com", "correct horse"), ("c@example.com", "correct horse"),
            ] {
                let error = try #require(await signIn(shop, email, password))
                #expect(error.sqlState?.code == "PR404", "\(email) \(password)")
                messages.insert("\(error.message) \(error.detail ?? "")")
            }
            #expect(messages.count == 1)
        }
    }

    @Test
    func `A changed password replaces the old one; an unchanged one stays`() async throws {
        try await Shop.with { shop in
            _ = try await shop.value(
                #"select user_create('{"fullName": "A", "email": "a@example.com", "password": "correct horse"}')"#
            )
            _ = try await shop.value(#"select user_update('{"userId": 1, "fullName": "Ada"}')"#)
            #expect(try await signIn(shop, "a@example.com", "correct horse") == nil)
            _ = try await shop.value(#"select user_update('{"userId": 1, "password": "battery staple"}')"#)
            #expect(try await signIn(shop, "a@example.com", "battery staple") == nil)
            #expect(try await signIn(shop, "a@example.com", "correct horse") != nil)
        }
    }

    @Test
    func `Who knows the old password sets a new one, and no key keeps that call`() async throws {
        try await Shop.with { shop in
            _ = try await shop.value(
                #"select user_create('{"fullName": "A", "email": "a@example.com", "password": "correct horse"}')"#
            )
            func changing(_ old: String, _ new: String) -> String {
                """
                select run_write('user_change_password', 'user.changePassword',
                                 '{"userId": 1, "old": "\(old)", "new": "\(new)"}', 'one key', 'me')
                """
            }
            #expect(await shop.refusal(changing("wrong horse", "battery staple"))?.sqlState?.code == "PR404")
            let short = await shop.refusal(changing("correct horse", "short"))
            #expect(short?.sqlState?.code == "PR602")
            #expect(short?.detail?.contains(#""path": "/new""#) == true)
            try await shop.run(changing("correct horse", "battery staple"))
            #expect(await shop.refusal(changing("correct horse", "battery staple"))?.sqlState?.code == "PR404")
            #expect(try await signIn(shop, "a@example.com", "battery staple") == nil)
            #expect(try await shop.value("select count(*) from request_key") == "0")
        }
    }

    @Test
    func `No reply of any function that reads or writes users holds a hash, nor do events and keyed replies`()
        async throws
    {
        try await Shop.with { shop in
            var replies: [String] = []
            for (function, method, params) in [
                (
                    "user_create", "user.create",
                    #"{"fullName": "A", "email": "a@example.com", "password": "correct horse"}"#
                ),
                ("user_update", "user.update", #"{"userId": 1, "password": "battery staple"}"#),
                (
                    "user_authenticate", "user.authenticate",
                    #"{"email": "a@example.com", "password": "battery staple"}"#
                ),
                ("user_get", "user.get", #"{"userId": 1}"#), ("user_list", "user.list", "{}"),
                ("user_list", "user.list", #"{"search": "$2a$"}"#),
                ("user_delete", "user.delete", #"{"userId": 1}"#),
            ] {
                replies.append(
                    try await shop.value(
                        "select reply from run_write($1, $2, $3, $4, 'tester')",
                        [.text(function), .text(method), .text(params), .text("key \(replies.count)")]
                    )
                )
            }
            #expect(replies[0].contains("a@example.com"))
            replies += try await shop.rows(
                "select r::text from request_key r union all select e::text from recorded_event e"
            )
            for reply in replies {
                for secret in ["$2a$", "horse", "staple", "password"] { #expect(!reply.contains(secret), "\(reply)") }
            }
        }
    }

    @Test
    func
        `The hash that tells two requests apart knows their passwords, and cannot be made without this shop's secret`()
        async throws
    {
        try await Shop.with { shop in
            let hashes = try await shop.rows(
                """
                select request_hash('user.create', p)
                from (values ('{"email": "a@b", "password": "x"}'::jsonb), ('{"email": "a@b", "password": "y"}'),
                             ('{"email": "c@d", "password": "x"}')) v (p)
                """
            )
            #expect(Set(hashes).count == 3)
            try await shop.run("update hash_secret set secret = 'another'")
            let other = try await shop.value(
                #"select request_hash('user.create', '{"email": "a@b", "password": "x"}')"#
            )
            #expect(!hashes.contains(other))
        }
    }

    @Test
    func `An address and a telephone number belong to one user until they are deleted`() async throws {
        try await Shop.with { shop in
            let create = #"select user_create('{"fullName": "A", "email": "a@example.com", "phoneNumber": "+49 1"}')"#
            _ = try await shop.value(create)
            #expect(
                await shop.refusal(#"select user_create('{"fullName": "B", "email": "A@EXAMPLE.com"}')"#)?.constraint
                    == "app_user_email_key"
            )
            #expect(
                await shop.refusal(
                    #"select user_create('{"fullName": "B", "email": "b@example.com", "phoneNumber": "+49 1"}')"#
                )?.constraint == "app_user_phone_number_key"
            )
            _ = try await shop.value(#"select user_delete('{"userId": 1}')"#)
            _ = try await shop.value(create)
        }
    }

    private func signIn(_ shop: Shop, _ email: String, _ password: String) async throws -> PostgresError? {
        do throws(PostgresError) {
            _ = try await shop.rows(
                "select user_authenticate(jsonb_build_object('email', $1::text, 'password', $2::text))",
                [.text(email), .text(password)]
            )
            return nil
        } catch {
            return error
        }
    }
}
