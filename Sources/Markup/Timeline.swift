/// Price over stock in time: the price as a line of steps above, with floor and reasons; stock as an area below, with its
/// thresholds. It is drawn for three widths, and the style sheet shows the one that fits.
package struct Timeline: Sendable {
    /// A value from a time on.
    package struct Step: Sendable {
        let at: Double
        let value: Double
        /// Why it changed.
        let reason: String?

        package init(at: Moment, _ value: Double, reason: String? = nil) {
            self.at = at.seconds
            self.value = value
            self.reason = reason
        }
    }

    /// A line across, such as the floor.
    package struct Level: Sendable {
        let label: String
        let value: Double

        package init(_ label: String, _ value: Double) {
            self.label = label
            self.value = value
        }
    }

    let title: String
    let prices: [Step]
    let stocks: [Step]
    let priceLevels: [Level]
    let stockLevels: [Level]
    let end: Double

    package init(
        _ title: String,
        prices: [Step],
        stocks: [Step],
        priceLevels: [Level] = [],
        stockLevels: [Level] = [],
        end: Moment
    ) {
        self.title = title
        self.prices = prices
        self.stocks = stocks
        self.priceLevels = priceLevels
        self.stockLevels = stockLevels
        self.end = end.seconds
    }

    package var html: HTML {
        guard prices.count + stocks.count > 0 else { return "<p class=\"empty\">Nothing has moved yet.</p>" }
        return """
            <div class="chart">\(svg(width: 1200, cssClass: "full", timeTicks: 10))\
            \(svg(width: 780, cssClass: "wide", timeTicks: 8))\
            \(svg(width: 340, cssClass: "narrow", timeTicks: 4))</div>
            """
    }

    private func svg(width: Double, cssClass: String, timeTicks: Int) -> HTML {
        let (left, right) = (54.0, width - 36)
        let start = (prices + stocks).map(\.at).min() ?? end
        let time = Axis(start...max(start, end), from: left, to: right)
        let price = Axis(Timeline.range(prices, priceLevels, fromZero: false), from: 190, to: 16)
        let stock = Axis(Timeline.range(stocks, stockLevels, fromZero: true), from: 300, to: 214)
        let times = time.timeTicks(timeTicks).map { tick -> HTML in
            """
            <line class="grid" x1="\(time.place(tick.value))" x2="\(time.place(tick.value))" y1="16" y2="300"/>\
            <text class="tick" x="\(time.place(tick.value))" y="316" text-anchor="middle">\(tick.label)</text>
            """
        }
        return """
            <svg class="\(cssClass)" viewBox="0 0 \(width) 326" role="img" aria-label="\(title)">\(times)\
            \(ticks(price, 5, left, right))\(ticks(stock, 3, left, right))\
            <text class="name" x="4" y="11">price</text><text class="name" x="4" y="208">stock</text>\
            \(area(stocks, time, stock))\
            \(levels(priceLevels, price, left, right))\(levels(stockLevels, stock, left, right))\
            \(line(prices, time, price))\(marks(time, price))</svg>
            """
    }

    private static func range(_ steps: [Step], _ levels: [Level], fromZero: Bool) -> ClosedRange<Double> {
        let values = steps.map(\.value) + levels.map(\.value)
        let (least, most) = (values.min() ?? 0, values.max() ?? 1)
        let room = (most - least) * 0.06
        return fromZero ? 0...max(1, most + room) : (least - room)...(most + room)
    }

    private func ticks(_ axis: Axis, _ most: Int, _ left: Double, _ right: Double) -> [HTML] {
        axis.ticks(most).map { value in
            let place = axis.place(value)
            let label = Decimals.grouped(Decimals.text(value, 2))
            return """
                <line class="grid" x1="\(left)" x2="\(right)" y1="\(place)" y2="\(place)"/>\
                <text class="tick" x="\(left - 6)" y="\(place + 4)" text-anchor="end">\(label)</text>
                """
        }
    }

    private func levels(_ levels: [Level], _ axis: Axis, _ left: Double, _ right: Double) -> [HTML] {
        // The names stand beside the drawing, and apart from each other.
        var taken = Double.infinity
        return levels.sorted { $0.value < $1.value }.map { level in
            let place = axis.place(level.value)
            let name = min(place + 4, taken - 11)
            taken = name
            return """
                <line class="level" x1="\(left)" x2="\(right)" y1="\(place)" y2="\(place)"/>\
                <text class="level-name" x="\(right + 4)" y="\(name)">\(level.label)</text>
                """
        }
    }

    private func corners(_ steps: [Step], _ time: Axis, _ axis: Axis) -> [(x: Double, y: Double)] {
        var corners: [(x: Double, y: Double)] = []
        for step in steps.sorted(by: { $0.at < $1.at }) {
            let x = time.place(min(step.at, end))
            if let last = corners.last { corners.append((x, last.y)) }
            corners.append((x, axis.place(step.value)))
        }
        if let last = corners.last { corners.append((time.place(end), last.y)) }
        return corners
    }

    private static func path(_ corners: [(x: Double, y: Double)]) -> String {
        corners.map { "\(Decimals.text($0.x, 1)) \(Decimals.text($0.y, 1))" }.joined(separator: "L")
    }

    private func line(_ steps: [Step], _ time: Axis, _ axis: Axis) -> HTML {
        let corners = corners(steps, time, axis)
        return HTML.when(!corners.isEmpty, "<path class=\"price\" d=\"M\(Timeline.path(corners))\"/>")
    }

    private func area(_ steps: [Step], _ time: Axis, _ axis: Axis) -> HTML {
        let corners = corners(steps, time, axis)
        guard let first = corners.first, let last = corners.last else { return HTML() }
        let ground = axis.place(0)
        let path = Timeline.path([(first.x, ground)] + corners + [(last.x, ground)])
        return "<path class=\"stock\" d=\"M\(path)Z\"/>"
    }

    /// A point at each change, whose title says when and why.
    private func marks(_ time: Axis, _ axis: Axis) -> [HTML] {
        guard prices.count <= 300 else { return [] }
        return prices.map { step in
            let moment = Moment(seconds: step.at)
            let value = Decimals.grouped(Decimals.fixed(step.value, 2))
            let text = "\(moment.day), \(moment.clock): \(value)" + (step.reason.map { " – " + $0 } ?? "")
            return """
                <circle class="mark" cx="\(time.place(min(step.at, end)))" cy="\(axis.place(step.value))" r="3">\
                <title>\(text)</title></circle>
                """
        }
    }
}
