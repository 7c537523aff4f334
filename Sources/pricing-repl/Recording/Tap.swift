import Synchronization

/// Hears what a command shows and what is answered to its questions. Anything may show, on any thread.
final class Tap: Sendable {
    enum Piece: Equatable, Sendable {
        case output(String)
        case answer(String)
    }

    /// Whether what is heard is not shown.
    let isSilent: Bool
    /// Nil while nothing is listened to.
    private let heard = Mutex<[Piece]?>(nil)

    init(isSilent: Bool = false) { self.isSilent = isSilent }

    func begin() { heard.withLock { $0 = [] } }

    func take(_ piece: Piece) { heard.withLock { $0?.append(piece) } }

    /// What was heard since `begin`.
    func end() -> [Piece] {
        heard.withLock { heard in
            defer { heard = nil }
            return heard ?? []
        }
    }
}

extension Transcript {
    /// The lines of what was heard, an answer being one.
    static func lines(of pieces: [Tap.Piece]) -> [String] {
        var lines: [String] = []
        var output = ""
        for piece in pieces {
            switch piece {
            case .output(let text): output += text
            case .answer(let text):
                lines += Self.lines(output)
                output = ""
                lines += Self.lines(Self.text(answer: text))
            }
        }
        return lines + Self.lines(output)
    }

    /// The same as it stands in a file.
    static func text(of pieces: [Tap.Piece]) -> String {
        var text = ""
        var output = ""
        for piece in pieces {
            switch piece {
            case .output(let more): output += more
            case .answer(let answer):
                text += Self.text(output: output) + Self.text(answer: answer)
                output = ""
            }
        }
        return text + Self.text(output: output)
    }
}
