import Glibc

/// Times as people say them: `2h`, `yesterday 22:00`, `sunday`, `mon 9:00`, `2026-11-30`, in the operator's zone.
struct HumanTime: Sendable {
    /// Whether a time without a date is the last one that was or the next that comes.
    enum Direction {
        case past
        case future
    }

    var zone = Zone.system
    /// The present, in seconds since 1970.
    var now: @Sendable () -> Int64 = { HumanTime.present }

    /// Now, in seconds since 1970.
    static var present: Int64 { Int64(time(nil)) }

    private static let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    private static let months = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]

    /// The moment that `text` names; nil when it is no time.
    func moment(_ text: String, _ direction: Direction) -> Int64? {
        let words = text.lowercased().split(separator: " ").map(String.init)
        guard let first = words.first, words.count <= 2 else { return nil }
        if words.count == 1, let moment = alone(first, direction) { return moment }
        let second = words.count == 2 ? clock(words[1]) : 0
        guard let second, var day = day(first, direction, second) else { return nil }
        day.second = second
        return day.moment(in: zone)
    }

    /// `Mon 2026-11-30 09:00 (+01:00)`.
    func echo(_ moment: Int64) -> String {
        let wall = WallTime(moment, in: zone)
        let offset = zone.offset(moment)
        let minutes = abs(offset) / 60
        let name = Self.days[wall.weekday].prefix(3)
        return "\(name.prefix(1).uppercased())\(name.dropFirst()) \(wall.text) "
            + "(\(offset < 0 ? "-" : "+")\(WallTime.two(minutes / 60)):\(WallTime.two(minutes % 60)))"
    }

    /// As the wire has it.
    static func wire(_ moment: Int64) -> String {
        let wall = WallTime(moment, in: .fixed(hours: 0))
        return "\(wall.dayText)T\(wall.clockText):\(WallTime.two(wall.second % 60))Z"
    }

    /// A time of the wire as a person reads it; nil for text that is none.
    func shown(_ text: String) -> String? {
        guard let moment = Self.moment(ofWire: text) else { return nil }
        return WallTime(moment, in: zone).text
    }

    /// The whole second of an RFC 3339 time; nil for another text.
    static func moment(ofWire text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54,
            let ahead = secondsAhead(text.dropFirst(19).drop { $0 == "." || $0.isNumber })
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? { Int64(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        return WallTime(year: year, month: month, day: day, second: hour * 3600 + minute * 60 + second)
            .map { $0.moment(in: .fixed(hours: 0)) - ahead }
    }

    /// Of `Z` or `+02:00`: how far that clock is ahead of UTC.
    private static func secondsAhead(_ zone: Substring) -> Int64? {
        if zone == "Z" { return 0 }
        let parts = zone.dropFirst().split(separator: ":").compactMap { Int64($0) }
        guard let sign = zone.first, sign == "+" || sign == "-", parts.count == 2 else { return nil }
        return (sign == "+" ? 1 : -1) * (parts[0] * 3600 + parts[1] * 60)
    }

    private func alone(_ word: String, _ direction: Direction) -> Int64? {
        if word == "now" { return now() }
        if let moment = Self.moment(ofWire: word.uppercased()) { return moment }
        if let unit = word.last.flatMap({ Self.units[$0] }), let count = Int64(word.dropLast()), count >= 0,
            count < 1_000_000
        {
            return direction == .past ? now() - count * unit : now() + count * unit
        }
        guard let second = clock(word) else { return nil }
        var wall = WallTime(now(), in: zone)
        wall.second = second
        let today = wall.moment(in: zone)
        if direction == .past, today > now() { wall.day -= 1 }
        if direction == .future, today <= now() { wall.day += 1 }
        return wall.moment(in: zone)
    }

    private func day(_ word: String, _ direction: Direction, _ second: Int64) -> WallTime? {
        let today = WallTime(now(), in: zone)
        switch word {
        case "today": return WallTime(day: today.day)
        case "yesterday": return WallTime(day: today.day - 1)
        case "tomorrow": return WallTime(day: today.day + 1)
        default: break
        }
        if let name = index(of: word, in: Self.days) {
            var wall = WallTime(day: today.day + Int64((name - today.weekday + 7) % 7), second: second)
            let isAhead = wall.moment(in: zone) > now()
            if direction == .past, isAhead { wall.day -= 7 }
            if direction == .future, !isAhead { wall.day += 7 }
            return wall
        }
        if let name = index(of: word, in: Self.months) {
            let isAhead = Int64(name + 1) > today.date.month
            let year = today.date.year + (direction == .past ? (isAhead ? -1 : 0) : (isAhead ? 0 : 1))
            return WallTime(year: year, month: Int64(name + 1), day: 1)
        }
        let parts = word.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2] else { return nil }
        return WallTime(year: year, month: month, day: day)
    }

    /// The name that `word` is, or begins with three letters or more.
    private func index(of word: String, in names: [String]) -> Int? {
        word.count < 3 ? nil : names.firstIndex { $0.hasPrefix(word) }
    }

    /// `9:00` in seconds since midnight.
    private func clock(_ word: String) -> Int64? {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].count == 2, let hour = Int64(parts[0]), let minute = Int64(parts[1]),
            (0...23).contains(hour), (0...59).contains(minute)
        else { return nil }
        return hour * 3600 + minute * 60
    }
}
