/// One row of a result, valid only inside the decode closure.
package struct Row: ~Copyable {
    private let result: ResultHandle
    private let statement: String
    private var index: Int32 = 0

    init(_ result: consuming ResultHandle, statement: String) {
        self.result = result
        self.statement = statement
    }

    /// Decodes every row of the result in order.
    mutating func decodeAll<Value>(
        _ decode: (borrowing Row) throws(PostgresError) -> Value
    ) throws(PostgresError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(Int(result.rowCount))
        while index < result.rowCount {
            values.append(try decode(self))
            index += 1
        }
        return values
    }

    /// The number of columns.
    package var columnCount: Int { Int(result.columnCount) }

    /// A column's name.
    /// - Throws: `.decoding` when there is no such column.
    package func name(_ column: Int) throws(PostgresError) -> String {
        result.columnName(try checked(column))
    }

    /// Whether a column's type is boolean.
    /// - Throws: `.decoding` when there is no such column.
    package func isBoolean(_ column: Int) throws(PostgresError) -> Bool {
        result.isBoolean(try checked(column))
    }

    /// Whether a column's type is timestamptz.
    /// - Throws: `.decoding` when there is no such column.
    package func isTime(_ column: Int) throws(PostgresError) -> Bool {
        result.isTime(try checked(column))
    }

    /// Whether a column holds null.
    /// - Throws: `.decoding` when there is no such column.
    package func isNull(_ column: Int) throws(PostgresError) -> Bool {
        result.isNull(index, try checked(column))
    }

    /// An integer that fits 64 bits.
    package func int(_ column: Int) throws(PostgresError) -> Int64 {
        try required(column, "an integer", intIfPresent(column))
    }

    /// A value's text form.
    package func text(_ column: Int) throws(PostgresError) -> String {
        try required(column, "text", textIfPresent(column))
    }

    /// A value's text form as UTF-8 bytes.
    package func bytes(_ column: Int) throws(PostgresError) -> [UInt8] {
        try required(column, "text", bytesIfPresent(column))
    }

    /// A truth value.
    package func bool(_ column: Int) throws(PostgresError) -> Bool {
        try required(column, "a boolean", boolIfPresent(column))
    }

    /// A number as a double; never for money.
    package func double(_ column: Int) throws(PostgresError) -> Double {
        try required(column, "a number", doubleIfPresent(column))
    }

    /// An integer, or nil for null.
    package func intIfPresent(_ column: Int) throws(PostgresError) -> Int64? {
        try parsed(column, "an integer") { Int64($0) }
    }

    /// A truth value, or nil for null.
    package func boolIfPresent(_ column: Int) throws(PostgresError) -> Bool? {
        try parsed(column, "a boolean") { $0 == "t" ? true : $0 == "f" ? false : nil }
    }

    /// A number as a double, or nil for null.
    package func doubleIfPresent(_ column: Int) throws(PostgresError) -> Double? {
        try parsed(column, "a number") { Double($0) }
    }

    /// A value's text form, or nil for null.
    package func textIfPresent(_ column: Int) throws(PostgresError) -> String? {
        let column = try checked(column)
        if result.isNull(index, column) { return nil }
        return unsafe result.withBytes(index, column) { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// A value's text form as UTF-8 bytes, or nil for null.
    package func bytesIfPresent(_ column: Int) throws(PostgresError) -> [UInt8]? {
        let column = try checked(column)
        if result.isNull(index, column) { return nil }
        return unsafe result.withBytes(index, column) { unsafe Array($0) }
    }

    private func parsed<Value>(
        _ column: Int,
        _ wanted: String,
        _ parse: (String) -> Value?
    ) throws(PostgresError) -> Value? {
        guard let text = try textIfPresent(column) else { return nil }
        guard let value = parse(text) else { throw failure(column, "is not \(wanted)") }
        return value
    }

    private func required<Value>(_ column: Int, _ wanted: String, _ value: Value?) throws(PostgresError) -> Value {
        guard let value else { throw failure(column, "is null, \(wanted) was wanted") }
        return value
    }

    private func checked(_ column: Int) throws(PostgresError) -> Int32 {
        guard column >= 0, column < columnCount else {
            throw PostgresError(.decoding, "no column \(column), there are \(columnCount)", statement: statement)
        }
        return Int32(column)
    }

    private func failure(_ column: Int, _ what: String) -> PostgresError {
        PostgresError(.decoding, "column \(column) (\(result.columnName(Int32(column)))) \(what)", statement: statement)
    }
}
