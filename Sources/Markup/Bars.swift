/// Amounts by name as lying bars, the name and the figure beside each: as plain HTML, so it reads well without any drawing.
package struct Bars: Sendable {
    /// One bar.
    package struct Bar: Sendable {
        let name: HTML
        let value: Double
        let figure: String
        let cssClass: String?

        package init(_ name: HTML, _ value: Double, _ figure: String, cssClass: String? = nil) {
            self.name = name
            self.value = value
            self.figure = figure
            self.cssClass = cssClass
        }
    }

    let caption: String
    let bars: [Bar]

    package init(_ caption: String, _ bars: [Bar]) {
        self.caption = caption
        self.bars = bars
    }

    package var html: HTML {
        guard !bars.isEmpty else { return "<p class=\"empty\">Nothing yet.</p>" }
        let most = max(bars.map(\.value).max() ?? 0, 0.000_001)
        return """
            <table class="bars"><caption class="sr">\(caption)</caption><tbody>\(bars.map { bar($0, most) })</tbody></table>
            """
    }

    private func bar(_ bar: Bar, _ most: Double) -> HTML {
        let width = min(100, max(0, bar.value / most * 100))
        return """
            <tr><th scope="row">\(bar.name)</th><td class="track"><svg viewBox="0 0 100 10" preserveAspectRatio="none" \
            aria-hidden="true"><rect\(HTML.attribute("class", bar.cssClass ?? "bar")) width="\(width)" height="10"/></svg></td>\
            <td class="n">\(bar.figure)</td></tr>
            """
    }
}

/// Amounts in time as standing columns, such as revenue by month.
package struct Columns: Sendable {
    let caption: String
    let columns: [(label: String, value: Double, figure: String)]

    package init(_ caption: String, _ columns: [(label: String, value: Double, figure: String)]) {
        self.caption = caption
        self.columns = columns
    }

    package var html: HTML {
        guard columns.contains(where: { $0.value > 0 }) else { return "<p class=\"empty\">Nothing yet.</p>" }
        return "<div class=\"chart\">\(svg(width: 620, cssClass: "wide"))\(svg(width: 340, cssClass: "narrow"))</div>"
    }

    private func svg(width: Double, cssClass: String) -> HTML {
        let left = 54.0
        let axis = Axis(0...max(1, columns.map(\.value).max() ?? 1), from: 180, to: 16)
        let slot = (width - left - 8) / Double(columns.count)
        // A label needs about 46 units.
        let every = max(1, Int((46 / slot).rounded(.up)))
        let whole = columns.allSatisfy { $0.value.rounded() == $0.value && $0.value < 10 }
        let grid = axis.ticks(4).filter { !whole || $0.rounded() == $0 }.map { value -> HTML in
            """
            <line class="grid" x1="\(left)" x2="\(width - 8)" y1="\(axis.place(value))" y2="\(axis.place(value))"/>\
            <text class="tick" x="\(left - 6)" y="\(axis.place(value) + 4)" text-anchor="end">\(Columns.short(value))</text>
            """
        }
        let bars = columns.enumerated().map { index, column -> HTML in
            let x = left + Double(index) * slot
            let y = axis.place(column.value)
            let label = HTML.when(
                index.isMultiple(of: every),
                "<text class=\"tick\" x=\"\(x + slot / 2)\" y=\"196\" text-anchor=\"middle\">\(column.label)</text>"
            )
            return """
                <rect class="bar" x="\(x + slot * 0.14)" y="\(y)" width="\(slot * 0.72)" height="\(180 - y)">\
                <title>\(column.label): \(column.figure)</title></rect>\(label)
                """
        }
        return
            "<svg class=\"\(cssClass)\" viewBox=\"0 0 \(width) 204\" role=\"img\" aria-label=\"\(caption)\">\(grid)\(bars)</svg>"
    }

    /// 12k for 12,000.
    static func short(_ value: Double) -> String {
        switch value.magnitude {
        case 1_000_000...: Decimals.text(value / 1_000_000, 1) + "M"
        case 1000...: Decimals.text(value / 1000, 1) + "k"
        default: Decimals.text(value, 1)
        }
    }
}
