import Glibc
import JSON

@testable import pricing_repl

/// A server of a few methods on a temporary socket, for the shell alone.
///
/// `slow.call` answers only when it is cancelled; `events.subscribe` is followed by one event.
@safe
final class ReplServer: @unchecked Sendable {
    let path: String
    private let listener: Int32
    private let arrivals: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        arrivals = ends[0]
        let arrived = ends[1]
        var template = Array("/tmp/repl-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { return nil }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = folder + "/s.sock"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let opened = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        listener = opened
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(opened, $0, size) }
        }
        guard bound == 0, listen(opened, 8) == 0 else { return nil }
        let started = ReadingThread.start {
            while true {
                let connection = accept(opened, nil, nil)
                guard connection >= 0 else { return }
                _ = ReadingThread.start { ReplServer.serve(connection, arrived) }
            }
        }
        guard started else { return nil }
    }

    /// Waits until a `slow.call` is here.
    func awaitSlowCall() {
        var byte: UInt8 = 0
        _ = unsafe read(arrivals, &byte, 1)
    }

    /// Stops listening and removes the socket.
    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        _ = unsafe unlink(path)
        _ = unsafe rmdir(String(path.dropLast("/s.sock".count)))
    }

    private static func serve(_ connection: Int32, _ arrived: Int32) {
        var lines = LineReader(descriptor: connection)
        while let line = lines.next() {
            if line.contains("slow.call") { _ = unsafe write(arrived, "!", 1) }
            for reply in replies(to: line) {
                let bytes = reply.serialized() + [0x0A]
                _ = unsafe bytes.withUnsafeBytes {
                    unsafe send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            }
        }
        Glibc.close(connection)
    }

    private static func replies(to line: String) -> [JSONValue] {
        guard let message = JSONReading.parse(line) else {
            return [failure(nil, -32700, "PARSE_ERROR", "The line is not valid JSON.")]
        }
        let id = message["id"]
        func result(_ value: JSONValue) -> JSONValue { ["jsonrpc": "2.0", "id": id ?? .null, "result": value] }
        switch message["method"]?.string {
        case "rpc.discover": return [result(ReplSamples.document)]
        case "product.get":
            guard message["params"]?["productId"] == 1 else {
                return [failure(id, 101, "PRODUCT_NOT_FOUND", "There is no such product.")]
            }
            return [result(["productId": 1, "title": "Lamp", "price": "5.00"])]
        case "server.complete": return [result(["values": [["value": 1, "label": "Lamp"]]])]
        case "slow.call": return []
        case "$/cancelRequest":
            return [failure(message["params"]?["id"], -32001, "CANCELLED", "The call was cancelled.")]
        case "events.subscribe":
            let event: JSONValue = [
                "subscription": "s", "sequence": 42, "topic": "price", "op": "update", "key": 7,
                "before": ["price": "5.00"], "after": ["price": "6.00"],
            ]
            return [
                result(["subscription": "s"]), ["jsonrpc": "2.0", "method": "events.event", "params": event],
            ]
        default: return id == nil ? [] : [failure(id, -32601, "METHOD_NOT_FOUND", "There is no such method.")]
        }
    }

    private static func failure(_ id: JSONValue?, _ code: Int64, _ reason: String, _ text: String) -> JSONValue {
        [
            "jsonrpc": "2.0", "id": id ?? .null,
            "error": ["code": .integer(code), "message": .string(text), "data": ["reason": .string(reason)]],
        ]
    }
}

/// The shell's program on a pseudo terminal of 80 columns, or on pipes.
@safe
final class ReplProcess {
    private(set) var seen = ""
    /// What the terminal shows.
    private(set) var screen: TerminalScreen
    /// The first bytes of a character whose rest has not come.
    private var rest: [UInt8] = []
    private let pid: pid_t
    private let terminal: Int32

    /// How long a test waits for what must come, in milliseconds; only a failing test waits so long.
    private static let patienceMs: Int32 = 20_000

    /// Starts the program with a terminal as stdin, stdout and stderr.
    /// - Parameters:
    ///   - environment: more variables, as `NAME=value`.
    ///   - other: a program in place of the shell's own.
    ///   - folder: where it stands; nil for where the tests do.
    init?(
        _ arguments: [String],
        home: String,
        environment more: [String] = [],
        columns: UInt16 = 80,
        program other: String? = nil,
        in folder: String? = nil
    ) {
        screen = TerminalScreen(columns: Int(columns), rows: 24)
        terminal = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTN: unlock the other side and ask for its number.
        var lock: Int32 = 0
        var number: Int32 = 0
        guard unsafe ioctl(terminal, 0x4004_5431, &lock) == 0, unsafe ioctl(terminal, 0x8004_5430, &number) == 0 else {
            return nil
        }
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe ioctl(terminal, UInt(TIOCSWINSZ), &size)
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        // Opening the terminal as the leader of a new session makes it the controlling one, so Ctrl-C is a signal.
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/pts/\(number)", O_RDWR, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, 0, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        let newSession: Int16 = 0x80
        unsafe posix_spawnattr_setflags(&attributes, newSession)
        guard let own = other ?? ReplProcess.program else { return nil }
        let program = folder == nil ? own : "/bin/sh"
        let moved = folder.map { ["-c", "cd \"$0\" && exec \"$@\"", $0, own] } ?? []
        let words = unsafe Self.strings([program] + moved + arguments)
        // Of two values of one name the first counts.
        let environment = unsafe Self.strings(
            more + ["TERM=xterm", "HOME=\(home)", "LANG=C.UTF-8", "PATH=/usr/bin:/bin"]
        )
        defer { unsafe (words + environment).forEach { unsafe free($0) } }
        var child: pid_t = 0
        guard unsafe posix_spawn(&child, program, &actions, &attributes, words, environment) == 0 else { return nil }
        pid = child
    }

    /// What C takes as `argv` and `envp`; each element is the caller's to free.
    private static func strings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var result: [UnsafeMutablePointer<CChar>?] = unsafe []
        for text in texts { unsafe result.append(strdup(text)) }
        return unsafe result + [nil]
    }

    /// Types `text`.
    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(terminal, $0.baseAddress, $0.count) }
    }

    /// Waits until `text` has come, and forgets everything up to its end. False when it does not come.
    func expect(_ text: String) -> Bool {
        while true {
            if let range = seen.firstRange(of: text) {
                seen = String(seen[range.upperBound...])
                return true
            }
            guard readMore() else { return false }
        }
    }

    /// Waits until the screen is so. False when it does not become it.
    func expectScreen(_ isSo: (TerminalScreen) -> Bool) -> Bool {
        while !isSo(screen) { guard readMore() else { return false } }
        return true
    }

    /// Presses a key again and again until `text` has come.
    func expect(_ text: String, pressing key: String) -> Bool {
        for _ in 0..<200 {
            type(key)
            var source = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&source, 1, 100) == 1 else { continue }
            guard readMore() else { return false }
            if seen.firstRange(of: text) != nil { return expect(text) }
        }
        return false
    }

    /// Sends a signal.
    func signal(_ number: Int32) { kill(pid, number) }

    /// Whether the terminal edits lines and echoes, as it does for programs that know nothing of terminals.
    var isCooked: Bool {
        var settings = termios()
        guard unsafe tcgetattr(terminal, &settings) == 0 else { return false }
        let wanted = tcflag_t(ICANON | ECHO)
        return settings.c_lflag & wanted == wanted
    }

    /// Gives the terminal another size; the kernel tells the program.
    func resize(columns: UInt16) {
        screen.resize(columns: Int(columns))
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = unsafe ioctl(terminal, UInt(TIOCSWINSZ), &size)
    }

    /// Waits for the end; the signal that ended it, or 0.
    func endingSignal() -> Int32 {
        while readMore() {}
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, 0) == pid else { return -1 }
        return status & 0x7F
    }

    /// Waits for the end; the exit status, or -1 when a signal ended it.
    func end() -> Int32 {
        while readMore() {}
        close(terminal)
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, 0) == pid, status & 0x7F == 0 else { return -1 }
        return (status >> 8) & 0xFF
    }

    private func readMore() -> Bool {
        var source = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&source, 1, Self.patienceMs) == 1 else {
            kill(pid, SIGKILL)
            return false
        }
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(terminal, $0.baseAddress, $0.count) }
        guard count > 0 else { return false }
        rest += chunk.prefix(count)
        let start = rest.lastIndex { $0 & 0xC0 != 0x80 } ?? 0
        let length = rest[start] < 0x80 ? 1 : rest[start] < 0xE0 ? 2 : rest[start] < 0xF0 ? 3 : 4
        let whole = rest.count - start < length ? start : rest.count
        let text = String(decoding: rest.prefix(whole), as: UTF8.self)
        rest.removeFirst(whole)
        seen += text
        screen.take(text)
        return true
    }

    /// The program stands beside the tests' own binary.
    static var program: String? {
        var room = [CChar](repeating: 0, count: 4096)
        let length = unsafe readlink("/proc/self/exe", &room, room.count)
        guard length > 0 else { return nil }
        let path = String(decoding: room.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } + "/pricing-repl"
    }
}

extension String {
    /// Where `part` first stands.
    fileprivate func firstRange(of part: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<(index(start, offsetBy: part.count)) }
            start = index(after: start)
        }
        return nil
    }
}
