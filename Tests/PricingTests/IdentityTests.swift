import JSON
import Postgres
import PricingTestSupport
import Testing

/// Names, numbers and folds by direct SQL.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct IdentityTests {
    @Test func `direct SQL is held to names as calls are`() async throws {
        try await Shop.with { shop in
            try await shop.run(
                """
                insert into category (name) values (U&' Kahve\\00A0');
                insert into supplier (company_name, tax_number, contact_email) values (' A ', ' 123 ', ' a@b ');
                insert into app_user (full_name, email, phone_number) values (' A ', ' a@b ', '+90 (532) 1');
                """
            )
            _ = try await shop.product()
            #expect(
                try await shop.rows(
                    """
                    select name from category where category_id = 1
                    union all select concat_ws('|', company_name, tax_number, contact_email) from supplier
                    union all select concat_ws('|', full_name, email, phone_number) from app_user
                    """
                ) == ["Kahve", "A|123|a@b", "A|a@b|+90 (532) 1"]
            )
            for (sql, refusal) in [
                ("insert into category (name) values ('KAHVE')", "category_name_fold_key"),
                (#"insert into category (name) values (U&'\200BKahve')"#, "category_name_key"),
                ("insert into category (name) values (U&'\\3000')", "/name"),
                ("insert into category (name) values (E'a\\tb')", "/name"),
                ("update category set name = U&'a\\202Eb'", "/name"),
                ("update product set title = ' '", "/title"),
                ("update product set title = repeat('x', 201)", "/title"),
                ("update app_user set full_name = U&'\\FEFF'", "/fullName"),
                ("update app_user set email = 'nobody'", "/email"),
                ("update supplier set contact_email = 'nobody'", "/contactEmail"),
                ("update supplier set company_name = ''", "/companyName"),
                ("insert into rule (name, version, strategy) values (' ', 1, 'bands')", "/name"),
                ("insert into automation_halt (reason, actor, halted_at) values (' ', 'a', now())", "/reason"),
                ("insert into app_user (full_name, email) values ('B', 'A@B')", "app_user_email_key"),
                (
                    "insert into app_user (full_name, email, phone_number) values ('B', 'b@b', '0090 5321')",
                    "app_user_phone_number_key"
                ),
            ] {
                let error = await shop.refusal(sql)
                let told = error?.constraint.flatMap { $0.isEmpty ? nil : $0 } ?? error?.detail ?? ""
                #expect(told.contains(refusal), "\(sql): \(told)")
            }
            try await shop.run(
                """
                set search_path = '';
                update pricing.product set title = ' Mug ', version = version + 1;
                insert into pricing.app_user (full_name, email) values (' C ', 'c@b');
                set search_path = pricing, pricing_code
                """
            )
            #expect(try await shop.value("select distinct title from product") == "Mug")
        }
    }

    @Test func `a name is trimmed alike here and in the database, whatever surrounds it`() async throws {
        try await Shop.with { shop in
            let scalars = [0x20...0x3200, 0xFB00...0xFFFD, 0x1BC90...0x1BCB0, 0x1D160...0x1D190, 0xE0000...0xE0200]
                .flatMap { $0 }.filter { !(0x7F...0x9F).contains($0) && !(0x202A...0x202E).contains($0) }
            let kept = try await shop.rows(
                """
                select concat_ws(' ', n, char_length(trim_name('a' || chr(n))), char_length(trim_name(chr(n) || 'a')),
                                 char_length(trim_name(chr(n))))
                from unnest($1::integer[]) n order by n
                """,
                [.text("{\(scalars.map(String.init).joined(separator: ","))}")]
            )
            let here = scalars.sorted().compactMap { value -> String? in
                guard let scalar = UInt32(exactly: value).flatMap({ Unicode.Scalar($0) }) else { return nil }
                let lengths = ["a\(scalar)", "\(scalar)a", "\(scalar)"].map { $0.trimmedName.unicodeScalars.count }
                return ([value] + lengths).map(String.init).joined(separator: " ")
            }
            #expect(kept.count > 10_000)
            #expect(zip(kept, here).filter { $0 != $1 }.map { "\($0), here \($1)" } == [])
        }
    }

    @Test func `a search reads the folded index, and a page by title reads its own`() async throws {
        try await Shop.with { shop in
            try await shop.run(
                """
                set session_replication_role = replica;
                insert into category (name) values ('Things');
                insert into product (title, category_id, base_price, floor_price, ceiling_price, rule_id)
                select 'Çay Bardağı ' || md5(n::text), 1, 1, 1, 1, 1 from generate_series(1, 20000) n;
                insert into app_user (full_name, email)
                select 'Işık ' || md5(n::text), md5(n::text) || '@example.com' from generate_series(1, 20000) n;
                select gin_clean_pending_list('product_text_index'), gin_clean_pending_list('app_user_text_index');
                analyze product; analyze app_user;
                """
            )
            for (query, index) in [
                (
                    "product where search_text like like_pattern('ÇAY BARDAĞI c4ca4238') order by product_id",
                    "product_text_index"
                ),
                (
                    "app_user where search_text like like_pattern('ışık c4ca4238') order by user_id",
                    "app_user_text_index"
                ),
                (#"product order by title collate "und-x-icu", product_id limit 50"#, "product_title_index"),
            ] {
                let plan = try await shop.rows("explain select * from \(query)").joined(separator: "\n")
                #expect(plan.contains(index), "\(plan)")
            }
        }
    }
}
