import PricingTestSupport
import Testing

/// The learner's arithmetic, against values computed by another program.
@Suite(.enabled(if: TestCluster.isAvailable, needsServer))
struct LearnerTests {
    /// A state after daily folds, each of one segment of a day at the price p.
    private static let folds = """
        create function pg_temp.folds(base float8, elasticity float8, p float8, units integer[]) returns float8[]
        language plpgsql as $$
        declare
            state float8[] := learner_empty();
        begin
            for n in 1..cardinality(units) loop
                state := learn_fold(state, learn_segment(learner_empty(), 1, units[n],
                                                         price_distance(p, base, elasticity, 0, 0), elasticity), 1);
            end loop;
            return state;
        end $$
        """

    /// What a test value asks: the numbers that a query gives, to six digits.
    struct Value: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let query: String
        let numbers: String

        init(_ name: String, _ query: String, _ numbers: String) {
            (testDescription, self.query, self.numbers) = (name, query, numbers)
        }
    }

    private static func estimate(_ state: String, _ elasticity: String, _ rate: String) -> String {
        "select array[elasticity_now, rate_now] from learn_estimate(\(state), \(elasticity), \(rate), 0.2, 0.1)"
    }

    private static let t1 = "pg_temp.folds(50, 1.25, 60, array[1, 2, 1, 2, 1, 2, 1, 2, 1, 2])"
    private static let t4 = "pg_temp.folds(1, 2, 200, array[1])"
    private static let aged = "learn_fold(\(t4), learner_empty(), 20000)"
    private static let decayed = """
        learn_fold(learner_empty(), learn_segment(learner_empty(), 1, 1, price_distance(100, 100, 2, 0.1, 330), 2), 1)
        """
    private static let unsold = """
        learn_fold(learner_empty(), learn_segment(learner_empty(), 1e6, 0, price_distance(0.01, 1e9, 2, 0, 0), 2), 1e6)
        """
    private static let t10 = "array[0, 1, 2, 0, 1, 2, 0, 1, 2, 0]"

    static let values = [
        Value("nothing known", estimate("learner_empty()", "1.25", "1.146019"), "1.561391 1.399751"),
        Value(
            "ten days of one and two sales: state",
            "select \(t1)",
            "13.059217 2.611843 7.926053 7.641115 7.255551 6.743260 6.079911 5.251656 4.269244"
        ),
        Value("ten days of one and two sales", estimate(t1, "1.25", "1.146019"), "1.287632 1.697680"),
        Value(
            "ten days of one and two sales: target",
            "select array[strategy_deadline(12, rate_now * 20, 50, elasticity_now, 0)] from "
                + "learn_estimate(\(t1), 1.25, 1.146019, 0.2, 0.1)",
            "91.486230"
        ),
        Value(
            "50 sales a day at twice base",
            estimate("pg_temp.folds(100, 2, 200, array_fill(50, array[15]))", "2", "1"),
            "0.707107 48.826052"
        ),
        Value(
            "50,000 sales a day",
            estimate("pg_temp.folds(100, 2, 200, array_fill(50000, array[15]))", "2", "1"),
            "0.707107 48185.664405"
        ),
        Value("one sale at 200 times base: state", "select (\(t4))[1:3]", "1.000000 10.606602 0.000553"),
        Value("one sale at 200 times base", estimate(t4, "2", "1"), "0.732043 1.373971"),
        Value(
            "then 20,000 days: state",
            "select \(aged)",
            Array(repeating: "0.000000", count: 9).joined(separator: " ")
        ),
        Value("then 20,000 days", estimate(aged, "2", "1"), "2.498226 1.221403"),
        Value("a sale late in a decay: state", "select (\(decayed))[1:3]", "1.000000 10.606602 0.000553"),
        Value("a sale late in a decay", estimate(decayed, "2", "1"), "0.732043 1.373971"),
        Value("a million days unsold, at next to nothing", estimate(unsold, "2", "1"), "0.759939 0.000004"),
        Value("salvage far above base", "select array[strategy_deadline(5, 10, 1, 2, 99999)]", "99999.500000"),
        Value(
            "before base moves",
            estimate("pg_temp.folds(50, 1.25, 60, \(t10))", "1.25", "1.146019"),
            "1.590713 1.317596"
        ),
        Value(
            "after base moved by a cent",
            estimate(
                "pg_temp.folds(50.01, 1.25 * 50.01 / 50, 60, \(t10))",
                "1.25 * 50.01 / 50",
                "1.146019 * exp(-0.01 * 1.25 / 50)"
            ),
            "1.591080 1.317226"
        ),
    ]

    @Test(arguments: values)
    func `States, estimates and targets, to six digits`(_ value: Value) async throws {
        try await Shop.with { shop in
            try await shop.run(Self.folds)
            let given = try await shop.value(
                "select string_agg(to_char(x, 'FM999999999990.000000'), ' ' order by n) from "
                    + "unnest((\(value.query))::float8[]) with ordinality u (x, n)"
            )
            #expect(given == value.numbers)
        }
    }

    @Test
    func `Money ten times as large leaves the state as it is`() async throws {
        try await Shop.with { shop in
            try await shop.run(Self.folds)
            let tenfold = "pg_temp.folds(500, 1.25, 600, array[1, 2, 1, 2, 1, 2, 1, 2, 1, 2])"
            #expect(try await shop.value("select (\(Self.t1) = \(tenfold))::text") == "true")
        }
    }

    @Test
    func `No price, time or number of sales makes a formula raise, or give NaN or infinity`() async throws {
        let count = effort > 1 ? 50_000 : 5000
        try await Shop.with { shop in
            try await shop.run(
                """
                create temporary table broken (n bigint, told text);
                create function pg_temp.between(low float8, high float8, u float8) returns float8 language sql as $$
                    select exp(ln(low) + (ln(high) - ln(low)) * u)
                $$;
                do $$
                declare
                    u float8[];
                    state float8[];
                    elasticity float8;
                    y float8;
                    e record;
                begin
                    for n in 1..\(count) loop
                        u := array(select random_unit(20310117, s, n) from generate_series(1, 40) s);
                        elasticity := pg_temp.between(0.1, 20, u[1]);
                        state := learner_empty();
                        begin
                            for fold in 0..3 loop
                                y := price_distance(pg_temp.between(0.01, 9999999999.99, u[8 * fold + 2]),
                                    pg_temp.between(0.01, 9999999999.99, u[3]), elasticity, case when u[4] < 0.5 then u[5] end,
                                    36500 * u[8 * fold + 6]);
                                y := coalesce(y, -1);
                                state := learn_fold(state, learn_segment(learner_empty(),
                                    case when u[8 * fold + 7] < 0.2 then 0
                                         else pg_temp.between(1e-20, 1e8, u[8 * fold + 7]) end,
                                    case when u[8 * fold + 8] < 0.3 then 0
                                         when u[8 * fold + 8] < 0.4 then -pg_temp.between(1, 2147483647, u[8 * fold + 9])
                                         else pg_temp.between(1, 2147483647, u[8 * fold + 9]) end, y, elasticity),
                                    pg_temp.between(1e-9, 1e6, u[8 * fold + 8]));
                                e := learn_estimate(state, elasticity, pg_temp.between(1e-300, 1e300, u[36]),
                                                    3 * u[37] - 1.5, 3 * u[38] - 1.5, greatest(u[39], 0.01));
                                if (state[1] >= 0 and state <> '{}' and 1e300 > all (state) and -1e300 < all (state)
                                    and e.elasticity_now between elasticity / 2.83 and elasticity * 2.83
                                    and e.rate_now > 0 and e.rate_now < 1e300) is not true then
                                    insert into broken values (n, format('%s %s', state, e));
                                end if;
                            end loop;
                        exception when others then
                            insert into broken values (n, format('%s %s: %s', sqlstate, sqlerrm, u));
                        end;
                    end loop;
                end $$
                """
            )
            #expect(try await shop.rows("select format('case %s: %s', n, told) from broken order by n limit 3") == [])
        }
    }
}
