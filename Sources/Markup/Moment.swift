/// A point in time as the protocol writes it, RFC 3339 in UTC: read, told apart and written for people.
package struct Moment: Sendable, Hashable, Comparable {
    /// Seconds since 1970.
    package let seconds: Double

    package init(seconds: Double) { self.seconds = seconds }

    /// Reads `2026-11-27T14:03:00.123Z`; nil for text that is no such time.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T"), bytes.last == UInt8(ascii: "Z")
        else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        let fraction =
            bytes.count > 21 ? Double("0." + String(decoding: bytes[20..<(bytes.count - 1)], as: UTF8.self)) : 0
        let days = Moment.days(year, month, day)
        seconds = Double(days * 86_400 + hour * 3600 + minute * 60 + second) + (fraction ?? 0)
    }

    package static func < (left: Moment, right: Moment) -> Bool { left.seconds < right.seconds }

    /// Days from 1970 to a day of the Gregorian calendar.
    static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Year, month, day, hour, minute and second.
    package var parts: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        let whole = Int(seconds.rounded(.down))
        let day = whole >= 0 ? whole / 86_400 : (whole - 86_399) / 86_400
        let rest = whole - day * 86_400
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1,
            rest / 3600, rest / 60 % 60, rest % 60
        )
    }

    /// The protocol's own text.
    package var text: String {
        let parts = parts
        let thousandths = min(999, Int(((seconds - seconds.rounded(.down)) * 1000).rounded()))
        return "\(Moment.two(parts.year / 100))\(Moment.two(parts.year % 100))-\(Moment.two(parts.month))-"
            + "\(Moment.two(parts.day))T\(Moment.two(parts.hour)):\(Moment.two(parts.minute)):\(Moment.two(parts.second))."
            + "\(thousandths / 100)\(Moment.two(thousandths % 100))Z"
    }

    /// `27 Nov 2026`.
    package var day: String { "\(parts.day) \(Moment.month(parts.month)) \(parts.year)" }

    /// `27 Nov`.
    package var shortDay: String { "\(parts.day) \(Moment.month(parts.month))" }

    /// `14:03`.
    package var clock: String { "\(Moment.two(parts.hour)):\(Moment.two(parts.minute))" }

    /// The name of a month in three letters.
    package static func month(_ number: Int) -> String {
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return names.indices.contains(number - 1) ? names[number - 1] : "?"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
