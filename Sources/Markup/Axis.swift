/// The scale of one axis: values to places, and round values to label.
package struct Axis: Sendable {
    package let values: ClosedRange<Double>
    package let places: ClosedRange<Double>

    /// - Parameters:
    ///   - values: what is shown; a range of no width gets some.
    ///   - from: where the lowest value lies.
    ///   - to: where the highest lies; above `from` on a vertical axis, so smaller.
    package init(_ values: ClosedRange<Double>, from: Double, to: Double) {
        let width = values.upperBound - values.lowerBound
        let padding = width > 0 ? 0 : max(1, values.upperBound.magnitude * 0.1)
        self.values = (values.lowerBound - padding)...(values.upperBound + padding)
        places = min(from, to)...max(from, to)
        isTurned = from > to
    }

    private let isTurned: Bool

    package func place(_ value: Double) -> Double {
        let share = (value - values.lowerBound) / (values.upperBound - values.lowerBound)
        let length = places.upperBound - places.lowerBound
        return isTurned ? places.upperBound - share * length : places.lowerBound + share * length
    }

    /// Round values within the range, at most about so many, and no two closer than the least step that a label can tell.
    package func ticks(_ most: Int, least: Double = 0.01) -> [Double] {
        let width = values.upperBound - values.lowerBound
        guard width.isFinite, width > 0, most > 0 else { return [] }
        var step = 1.0
        while step * Double(most) < width { step *= 10 }
        while step * Double(most) / 10 >= width { step /= 10 }
        for finer in [5.0, 2.0] where step / finer * Double(most) >= width {
            step /= finer
            break
        }
        step = max(step, least)
        var ticks: [Double] = []
        var index = (values.lowerBound / step).rounded(.up)
        while index * step <= values.upperBound, ticks.count < 50 {
            ticks.append(index * step)
            index += 1
        }
        return ticks
    }

    /// Round points in time within a range of seconds, with their labels.
    package func timeTicks(_ most: Int) -> [(value: Double, label: String)] {
        let day = 86_400.0
        let width = values.upperBound - values.lowerBound
        if width > 14 * day * Double(most) { return monthTicks(most) }
        let steps: [Double] = [60, 300, 900, 3600, 3 * 3600, 6 * 3600, day, 2 * day, 7 * day, 14 * day]
        guard let step = steps.first(where: { width / $0 <= Double(most) }) ?? steps.last else { return [] }
        var ticks: [(value: Double, label: String)] = []
        var value = (values.lowerBound / step).rounded(.up) * step
        while value <= values.upperBound, ticks.count < 50 {
            let moment = Moment(seconds: value)
            ticks.append((value, step < day ? moment.clock : moment.shortDay))
            value += step
        }
        return ticks
    }

    /// First days of months, so many months apart that they fit; a January with its year.
    private func monthTicks(_ most: Int) -> [(value: Double, label: String)] {
        let start = Moment(seconds: values.lowerBound).parts
        let end = Moment(seconds: values.upperBound).parts
        let (first, last) = (start.year * 12 + start.month, end.year * 12 + end.month)
        let step = [1, 2, 3, 6, 12, 24, 60].first { (last - first) / $0 <= most } ?? 120
        return stride(from: first - first % step, through: last, by: step).compactMap { month in
            let value = Double(Moment.days(month / 12, month % 12 + 1, 1) * 86_400)
            guard values.contains(value) else { return nil }
            return (value, month % 12 == 0 ? "\(month / 12)" : Moment.month(month % 12 + 1))
        }
    }
}
