import CLibPQ

/// The one owner of a `PGresult`, which is freed with it.
@safe struct ResultHandle: ~Copyable {
    private let pointer: OpaquePointer

    /// Takes ownership.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe PQclear(pointer)
    }

    var status: ExecStatusType { unsafe PQresultStatus(pointer) }
    var rowCount: Int32 { unsafe PQntuples(pointer) }
    var columnCount: Int32 { unsafe PQnfields(pointer) }

    /// The number in the command tag (`INSERT 0 5`), 0 when it has none.
    var affectedRows: Int { unsafe Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// The command tag, such as `COMMIT`.
    var commandTag: String { unsafe String(cString: PQcmdStatus(pointer)) }

    func columnName(_ column: Int32) -> String {
        unsafe PQfname(pointer, column).map { name in unsafe String(cString: name) } ?? "?"
    }

    /// Whether a column's type is boolean (type 16, fixed in every server).
    func isBoolean(_ column: Int32) -> Bool {
        unsafe PQftype(pointer, column) == 16
    }

    /// Whether a column's type is timestamptz (type 1184, fixed in every server).
    func isTime(_ column: Int32) -> Bool {
        unsafe PQftype(pointer, column) == 1184
    }

    func isNull(_ row: Int32, _ column: Int32) -> Bool {
        unsafe PQgetisnull(pointer, row, column) == 1
    }

    /// Lends a value's bytes, valid inside `body` only.
    func withBytes<Value>(_ row: Int32, _ column: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
        let length = unsafe Int(PQgetlength(pointer, row, column))
        let start = unsafe UnsafeRawPointer(PQgetvalue(pointer, row, column))
        return unsafe body(UnsafeBufferPointer(start: start?.assumingMemoryBound(to: UInt8.self), count: length))
    }

    /// The server's error; its `kind` is `.server` until the caller has classified it.
    func error(statement: String?) -> PostgresError {
        var error = PostgresError(.server, field("M") ?? "", statement: statement)
        error.sqlState = field("C").map { SQLState($0) }
        error.constraint = field("n")
        error.detail = field("D")
        error.hint = field("H")
        if error.message.isEmpty {
            error.message = unsafe String(cString: PQresultErrorMessage(pointer))
        }
        return error
    }

    /// One field of an error, by the letter that the protocol gives it.
    private func field(_ letter: Unicode.Scalar) -> String? {
        unsafe PQresultErrorField(pointer, Int32(letter.value)).map { text in unsafe String(cString: text) }
    }
}
