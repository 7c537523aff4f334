import Glibc

/// The operator's zone: how far its clock is ahead of UTC at a moment.
struct Zone: Sendable {
    /// Seconds ahead of UTC at a moment, in seconds since 1970.
    var offset: @Sendable (Int64) -> Int64

    /// What the environment says (`TZ`, else the machine's).
    static let system = Zone { moment in
        var time = time_t(moment)
        var parts = unsafe tm()
        _ = unsafe localtime_r(&time, &parts)
        return unsafe Int64(parts.tm_gmtoff)
    }

    /// A zone without summer time.
    static func fixed(hours: Int64) -> Zone { Zone { _ in hours * 3600 } }
}

/// A day and a time as a clock on the wall shows them.
struct WallTime: Equatable {
    /// Days since 1970.
    var day: Int64
    /// Seconds since midnight.
    var second: Int64

    init(day: Int64, second: Int64 = 0) {
        self.day = day
        self.second = second
    }

    init(_ moment: Int64, in zone: Zone) {
        let local = moment + zone.offset(moment)
        day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        second = local - day * 86_400
    }

    /// A day of the Gregorian calendar; nil when there is no such day.
    init?(year: Int64, month: Int64, day: Int64, second: Int64 = 0) {
        guard (1...12).contains(month), (1...31).contains(day), (1970...9999).contains(year) else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        self.day = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        self.second = second
        guard date == (year, month, day) else { return nil }
    }

    /// The moment at which the zone's clock shows it.
    func moment(in zone: Zone) -> Int64 {
        let local = day * 86_400 + second
        // The offset at the moment itself, found from the one beside it.
        let near = local - zone.offset(local)
        return local - zone.offset(near)
    }

    var date: (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// 0 is Sunday.
    var weekday: Int { Int((day + 4) % 7) }

    /// `2026-11-30`.
    var dayText: String { "\(date.year)-\(Self.two(date.month))-\(Self.two(date.day))" }

    /// `09:00`.
    var clockText: String { "\(Self.two(second / 3600)):\(Self.two(second / 60 % 60))" }

    /// `09:00:05`.
    var secondText: String { clockText + ":" + Self.two(second % 60) }

    /// `2026-11-30 09:00`, with the seconds where there are any.
    var text: String { dayText + " " + clockText + (second % 60 == 0 ? "" : ":" + Self.two(second % 60)) }

    static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
