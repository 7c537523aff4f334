import JSON

/// The audit computes every figure and price again, from the ledger and the declarations.
enum Audit {
    private static let fields: [Field] = [
        Field("kind", .name(1...50), "What disagrees, such as stock.sum or price.recomputed."),
        Field("table", .name(1...50), "Where the row stands."),
        Field.productId.optional, Field.sku.optional,
        .count("sequence", "The row's number in its product's ledger or history.").optional,
        Field.orderId.optional, Field("field", .name(1...50), "The column at fault."),
        Field("expected", .text(0...100), "What it should be, computed again.").optional,
        Field("found", .text(0...100), "What stands there.").optional,
        .text("message", "The same in one sentence."),
    ]

    static let difference = ObjectShape.result("AuditDifference", fields)

    private static let remedied = ObjectShape.result(
        "AuditRepair",
        fields + [.text("remedy", "What puts it right.")]
    )

    static let methods: [Method] = [
        Method(
            "audit.verify",
            .viewer,
            .read,
            "Computes every stock figure and price again from the ledger, and names each row that disagrees.",
            takes: [.limit, .cursor],
            gives: .result([
                Field("checked", .any, "How many products, movements, priceChanges and orders were computed again."),
                .count("total", "How many differences there are."),
                Field(
                    "differences",
                    .list(.object(difference), CallLimit.pageRows.elements(from: 0)),
                    "The differences of this page."
                ),
                Field("nextCursor", .text(0...500), "Gives the next page; null on the last.").nullable,
            ]),
            isLong: true,
            example: [:]
        ),
        Method(
            "audit.repair",
            .admin,
            .write,
            "Says what it would put right and what it cannot; does it when told to apply. Ledger and history stay.",
            takes: [Field("apply", .boolean, "Do it; false unless given.").optional, .reason],
            gives: .result([
                Field("applied", .boolean, "Whether it was done."),
                .count("repairable", "How many figures follow from ledger and history."),
                Field(
                    "repairs",
                    .list(.object(remedied), CallLimit.pageRows.elements(from: 0)),
                    "The first of them, each with its remedy."
                ),
                .skipped, .count("notRepairable", "How many rows of evidence are wrong: for a person to judge."),
                Field(
                    "differences",
                    .list(.object(difference), CallLimit.pageRows.elements(from: 0)),
                    "The first of them."
                ),
            ]),
            isLong: true,
            wakesTicker: true,
            isDestructive: true,
            example: [:]
        ),
    ]
}
