/// What a column holds, by the server's `x-format`, else by its values.
enum ColumnKind: String {
    case id
    case money
    case percent
    case time
    case count
    case text

    /// A number, an id or a time that has lost digits is another one; a text is still known by its beginning.
    var mayBeCut: Bool { self == .text }

    /// Whether it stands to the right, so that digits of one worth stand under each other.
    var isRight: Bool {
        switch self {
        case .id, .money, .percent, .count: true
        case .time, .text: false
        }
    }
}
