import Testing

@testable import JSONRPC

struct LineFramerTests {
    private enum Seen: Equatable {
        case line(String)
        case oversize(Int, closes: Bool)
    }

    private func frame(_ pieces: [[UInt8]], limit: Int = 100, finish: Bool = false) -> [Seen] {
        var framer = LineFramer(limit: limit)
        var seen: [Seen] = []
        func note(_ item: LineFramer.Item) {
            switch item {
            case .line(let line): seen.append(.line(String(decoding: line, as: UTF8.self)))
            case .oversize(let bytes, let closes): seen.append(.oversize(bytes, closes: closes))
            }
        }
        for piece in pieces {
            framer.feed(piece)
            while let item = framer.next() { note(item) }
        }
        if finish, let item = framer.finish() { note(item) }
        return seen
    }

    private func frame(_ text: String, limit: Int = 100, finish: Bool = false) -> [Seen] {
        let whole = frame([Array(text.utf8)], limit: limit, finish: finish)
        let byByte = frame(text.utf8.map { [$0] }, limit: limit, finish: finish)
        #expect(whole == byByte)
        return whole
    }

    @Test func `cuts at LF, drops CR, skips blank lines`() {
        #expect(frame("a\nb\r\n\n\r\n  \n\t\nc\n") == [.line("a"), .line("b"), .line("c")])
    }

    @Test func `half a line waits`() {
        #expect(frame("a\nb") == [.line("a")])
        #expect(frame("a\nb", finish: true) == [.line("a"), .line("b")])
        #expect(frame("a\n", finish: true) == [.line("a")])
        #expect(frame("", finish: true) == [])
    }

    @Test func `a CR inside a line stays`() {
        #expect(frame("a\rb\r\n") == [.line("a\rb")])
    }

    @Test func `NUL and broken UTF-8 pass through`() {
        #expect(frame([[0x00, 0x0A, 0xFF, 0x0A]]).count == 2)
    }

    @Test func `every split of a stream gives the same lines`() {
        let text = Array("{\"a\":1}\r\n\n{\"b\":2}\n0123456789\nend\n".utf8)
        let whole = frame([text], limit: 9)
        for cut in 0...text.count {
            #expect(frame([Array(text[..<cut]), Array(text[cut...])], limit: 9) == whole)
        }
    }

    @Test func `the limit counts the line without its end`() {
        #expect(
            frame("12345\n123456\n12345\r\n", limit: 5) == [
                .line("12345"), .oversize(6, closes: false), .line("12345"),
            ]
        )
    }

    @Test func `an oversize line is told once, with its length, and the next one is fine`() {
        let text = String(repeating: "x", count: 1000) + "\nok\n"
        #expect(frame(text, limit: 10) == [.oversize(1000, closes: false), .line("ok")])
    }

    @Test func `the CR of an oversize line is not counted, wherever the stream is cut`() {
        let text = Array((String(repeating: "x", count: 30) + "\r\nok\n").utf8)
        for cut in 0...text.count {
            let seen = frame([Array(text[..<cut]), Array(text[cut...])], limit: 10)
            #expect(seen == [.oversize(30, closes: false), .line("ok")])
        }
    }

    @Test func `three oversize lines in a row close`() {
        let long = String(repeating: "x", count: 20) + "\n"
        #expect(
            frame(long + long + "ok\n" + long + long + "\n" + long, limit: 10) == [
                .oversize(20, closes: false), .oversize(20, closes: false), .line("ok"),
                .oversize(20, closes: false), .oversize(20, closes: false), .oversize(20, closes: true),
            ]
        )
    }

    @Test func `an endless line takes no memory and is told at the end of the stream`() {
        var framer = LineFramer(limit: 10)
        let piece = [UInt8](repeating: 0x78, count: 1 << 16)
        for _ in 0..<64 {
            framer.feed(piece)
            #expect(framer.next() == nil)
        }
        #expect(framer.holdsPartialLine)
        #expect(framer.finish() == .oversize(bytes: 64 << 16, closes: false))
        #expect(!framer.holdsPartialLine)
    }
}
