/// A statement with the form of its rows; prepared on first use on each connection, under its name.
package struct Statement<Value: Sendable>: Sendable {
    /// Unique in the program: the same name always means the same SQL.
    package let name: String
    /// The SQL, with `$1`, `$2`, … for parameters.
    package let sql: String
    /// Makes one value from one row.
    package let decode: @Sendable (borrowing Row) throws(PostgresError) -> Value

    /// A statement whose rows are decoded by a closure.
    package init(
        _ name: String,
        _ sql: String,
        decode: @escaping @Sendable (borrowing Row) throws(PostgresError) -> Value
    ) {
        self.name = name
        self.sql = sql
        self.decode = decode
    }
}

extension Statement where Value == Void {
    /// A statement whose rows, if any, are not looked at.
    package static func none(_ name: String, _ sql: String) -> Statement {
        Statement(name, sql) { _ in }
    }
}

extension Statement where Value == [UInt8] {
    /// The first column's text form as UTF-8 bytes, such as JSON made by the server.
    package static func bytes(_ name: String, _ sql: String) -> Statement {
        Statement(name, sql) { row throws(PostgresError) in try row.bytes(0) }
    }
}

extension Statement where Value == String {
    /// The first column's text form.
    package static func text(_ name: String, _ sql: String) -> Statement {
        Statement(name, sql) { row throws(PostgresError) in try row.text(0) }
    }
}

extension Statement where Value == Int64 {
    /// The first column as an integer.
    package static func int(_ name: String, _ sql: String) -> Statement {
        Statement(name, sql) { row throws(PostgresError) in try row.int(0) }
    }
}

extension Statement where Value == Bool {
    /// The first column as a truth value.
    package static func bool(_ name: String, _ sql: String) -> Statement {
        Statement(name, sql) { row throws(PostgresError) in try row.bool(0) }
    }
}
