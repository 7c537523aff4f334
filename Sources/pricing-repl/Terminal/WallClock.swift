import Glibc

/// Times of day where the operator is.
enum WallClock {
    /// Now, in seconds since 1970.
    static var now: Int64 { Int64(time(nil)) }

    /// `20:12:36`, in the zone of the program.
    static func timeOfDay(_ seconds: Int64) -> String {
        var (moment, parts) = (time_t(seconds), unsafe tm())
        guard unsafe localtime_r(&moment, &parts) != nil else { return "" }
        let numbers = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
        return numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }

    /// The seconds of an RFC 3339 time; nil for another text.
    static func seconds(_ text: String) -> Int64? {
        let numbers = text.prefix(19).split { !$0.isNumber }.compactMap { Int32($0) }
        guard numbers.count == 6 else { return nil }
        var parts = unsafe tm()
        unsafe (parts.tm_year, parts.tm_mon, parts.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[3], numbers[4], numbers[5])
        let moment = Int64(unsafe timegm(&parts))
        let zone = text.dropFirst(19).drop { $0 == "." || $0.isNumber }
        guard let sign = zone.first, sign == "+" || sign == "-" else { return moment }
        let offset = zone.dropFirst().split(separator: ":").compactMap { Int64($0) }
        guard offset.count == 2 else { return nil }
        return moment - (sign == "+" ? 1 : -1) * (offset[0] * 3600 + offset[1] * 60)
    }
}
