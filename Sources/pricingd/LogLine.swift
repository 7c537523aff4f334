import ArgumentParser
import Glibc
import JSON
import Logging

/// How log lines look.
enum LogFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    case logfmt, json

    /// One entry, on one line whatever it holds.
    func line(_ members: [(key: String, value: String)]) -> String {
        switch self {
        case .json:
            return String(
                decoding: JSONObject(members.map { ($0.key, .string($0.value)) }).serialized(),
                as: UTF8.self
            )
        case .logfmt:
            return members.map { "\($0.key)=\(Self.quoted($0.value))" }.joined(separator: " ")
        }
    }

    /// As it is where nothing in it could be mistaken, else as a JSON string.
    private static func quoted(_ text: String) -> String {
        let special = Set("\"=\\".utf8)
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !special.contains($0) }
        return isPlain ? text : String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
    }
}

/// Writes each log entry to stderr as one line: time, level, message, and the entry's own members.
struct LineLogHandler: LogHandler {
    let format: LogFormat
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    init(format: LogFormat) {
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var members = [
            (key: "time", value: Self.now), (key: "level", value: event.level.rawValue),
            (key: "msg", value: event.message.description),
        ]
        let own = metadata.merging(event.metadata ?? [:]) { _, last in last }
        for (key, value) in own.sorted(by: { $0.key < $1.key }) {
            members.append((key.replacing(" ", with: "_"), "\(value)"))
        }
        if let error = event.error { members.append(("error", "\(error)")) }
        writeLine(format.line(members), to: 2)
    }

    /// RFC 3339 in UTC, with milliseconds.
    private static var now: String {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        unsafe gmtime_r(&now.tv_sec, &parts)
        func digits(_ number: Int, _ count: Int = 2) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let day = unsafe [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { digits($0) }
        let time = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int($0)) }
        return day.joined(separator: "-") + "T" + time.joined(separator: ":")
            + ".\(digits(Int(now.tv_nsec / 1_000_000), 3))Z"
    }
}
