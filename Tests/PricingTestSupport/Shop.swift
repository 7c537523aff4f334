import Dispatch
package import Postgres
import Pricing
package import Testing

/// Said of a suite that is skipped.
package let needsServer = Comment(rawValue: "needs PostgreSQL's server programs")

/// One database of one test, migrated and empty, with a connection to it.
package struct Shop: Sendable {
    package let database: TestDatabase
    package let connection: PostgresConnection

    private static let template = Task {
        let database = try await TestCluster.shared().database()
        let connection = try await open(database)
        _ = try await Migrator.migrate(connection, isSandbox: true)
        await connection.close()
        return database.name
    }

    /// Runs a test on a fresh sandbox database, dropped afterwards.
    package static func with(_ body: (Shop) async throws -> Void) async throws {
        let database = try await TestCluster.shared().database(template: template.value)
        try await with(database, body)
    }

    /// Runs a test on a database without tables.
    package static func withEmptyDatabase(_ body: (Shop) async throws -> Void) async throws {
        try await with(try await TestCluster.shared().database(), body)
    }

    private static func with(_ database: TestDatabase, _ body: (Shop) async throws -> Void) async throws {
        let outcome: Result<Void, any Error>
        do {
            let shop = Shop(database: database, connection: try await open(database))
            try await body(shop)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await database.drop()
        try outcome.get()
    }

    private static func open(_ database: TestDatabase) async throws(PostgresError) -> PostgresConnection {
        var settings = database.settings
        settings.searchPath = "pricing, pricing_code"
        return try await PostgresConnection.open(settings, logger: TestCluster.silence)
    }

    /// The same database over another connection.
    package func another() async throws(PostgresError) -> Shop {
        Shop(database: database, connection: try await Shop.open(database))
    }

    /// Runs SQL text for its effect, in one transaction.
    package func run(_ sql: String) async throws(PostgresError) {
        try await connection.run { (session) throws(PostgresError) in try session.script(sql) }
    }

    /// The first column of every row; null as the word null.
    package func rows(_ sql: String, _ bindings: [Binding] = []) async throws(PostgresError) -> [String] {
        try await connection.run { (session) throws(PostgresError) in try session.texts(sql, bindings) }
    }

    /// The first column of the only row; null as the word null.
    package func value(_ sql: String, _ bindings: [Binding] = []) async throws -> String {
        let rows = try await rows(sql, bindings)
        try #require(rows.count == 1, "one row was wanted of \(sql)")
        return rows[0]
    }

    /// The error that SQL text must end in.
    package func refusal(_ sql: String, _ location: SourceLocation = #_sourceLocation) async -> PostgresError? {
        await #expect(throws: PostgresError.self, "\(sql) must be refused", sourceLocation: location) {
            try await run(sql)
        }
    }

    /// Makes a product by direct SQL in a category of its own if need be.
    /// - Returns: its id.
    @discardableResult
    package func product(
        base: String = "100.00",
        stock: Int = 50,
        low: Int = 10,
        high: Int = 100,
        rule: String = "bands"
    ) async throws -> Int {
        let id = try await value(
            """
            with c as (insert into category (name) values ('Things') on conflict (name) do update set name = 'Things'
                       returning category_id)
            insert into product (title, category_id, base_price, floor_price, ceiling_price, low_stock, high_stock, rule_id)
            select 'Thing', category_id, $1::numeric, $1::numeric / 2, $1::numeric * 2, $2, $3,
                   (select rule_id from rule where name = $4 and status = 'active')
            from c returning product_id
            """,
            [.text(base), .int(Int64(low)), .int(Int64(high)), .text(rule)]
        )
        try await run("update inventory set stock = \(stock), cause.kind = 'initial' where product_id = \(id)")
        return try #require(Int(id))
    }

    /// Makes a buyer; an address that is taken gives the one who has it.
    /// - Returns: the id.
    package func buyer(_ email: String = "buyer@example.com") async throws -> Int {
        let id = try await value(
            """
            with made as (insert into app_user (full_name, email) values ('Buyer', $1) on conflict do nothing returning user_id)
            select user_id from made union all select user_id from app_user where email = $1
            """,
            [.text(email)]
        )
        return try #require(Int(id))
    }

    package func price(_ product: Int) async throws -> String {
        try await value("select price from inventory where product_id = \(product)")
    }

    package func stock(_ product: Int) async throws -> Int? {
        Int(try await value("select stock from inventory where product_id = \(product)"))
    }

    /// Sets a sandbox's clock and runs the tick of the new time.
    package func setClock(_ moment: String) async throws {
        _ = try await value("select clock_set(jsonb_build_object('at', $1::text))", [.text(moment)])
    }

    /// Sets the clock to the noon of a day, counted from the first of January 2031.
    package func setDay(_ number: Int) async throws {
        _ = try await value(
            "select clock_set(jsonb_build_object('at', timestamptz '2031-01-01 12:00Z' + $1::integer * interval '1 day'))",
            [.int(Int64(number))]
        )
    }

    /// Runs `sql` in a transaction of its own session, keeps it open while `body` runs, then commits.
    package func holding(_ sql: String, then finally: String? = nil, _ body: () async throws -> Void) async throws {
        let holder = try await another()
        let (reached, reach) = AsyncStream.makeStream(of: Void.self)
        let gate = DispatchSemaphore(value: 0)
        async let held: Void = holder.connection.run { (session) throws(PostgresError) in
            defer { reach.finish() }
            try session.transaction { (session) throws(PostgresError) in
                try session.script(sql)
                reach.yield()
                gate.wait()
                if let finally { try session.script(finally) }
            }
        }
        for await _ in reached { break }
        let outcome: Result<Void, any Error>
        do {
            try await body()
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        gate.signal()
        try await held
        await holder.connection.close()
        try outcome.get()
    }

    /// Runs `first` in an open transaction, starts `second` elsewhere, waits until it waits for a lock, commits the first.
    /// - Returns: the second's error, or nil when it went through.
    package func race(_ first: String, against second: String) async throws -> PostgresError? {
        let other = try await another()
        var pending: Task<PostgresError?, Never>?
        try await holding(first) {
            pending = Task { await other.outcome(second) }
            try await awaitLockWaiters()
        }
        let outcome = await pending?.value
        await other.connection.close()
        return outcome
    }

    /// The error that SQL text ends in, or nil.
    package func outcome(_ sql: String) async -> PostgresError? {
        do throws(PostgresError) {
            try await run(sql)
            return nil
        } catch {
            return error
        }
    }

    /// Asks until so many sessions of this database wait for a lock: an event, not a time.
    package func awaitLockWaiters(_ count: Int = 1) async throws {
        let observer = try await another()
        while true {
            try Task.checkCancellation()
            let waiting = try await observer.value(
                """
                select count(*) from pg_stat_activity
                where wait_event_type = 'Lock' and datname = current_database()
                """
            )
            if Int(waiting) ?? 0 >= count { break }
            await Task.yield()
        }
        await observer.connection.close()
    }
}

extension Session {
    /// The first column of every row of any statement, prepared under a name that its text gives.
    fileprivate func texts(_ sql: String, _ bindings: [Binding]) throws(PostgresError) -> [String] {
        let statement = Statement("test_\(UInt(bitPattern: sql.hashValue))", sql) { row throws(PostgresError) in
            try row.textIfPresent(0) ?? "null"
        }
        return try all(statement, bindings)
    }
}
