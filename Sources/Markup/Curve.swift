/// The posted price at each stock: a line of steps, with a point where stock stands now.
package struct Curve: Sendable {
    let title: String
    let points: [(stock: Double, price: Double)]
    let now: (stock: Double, price: Double)?
    let levels: [(label: String, stock: Double)]

    package init(
        _ title: String,
        points: [(stock: Double, price: Double)],
        now: (stock: Double, price: Double)?,
        levels: [(label: String, stock: Double)] = []
    ) {
        self.title = title
        self.points = points
        self.now = now
        self.levels = levels
    }

    package var html: HTML {
        guard points.count > 1 else { return "<p class=\"empty\">There is no curve for this product.</p>" }
        return
            "<div class=\"chart\">\(svg(width: 620, cssClass: "wide", 8))\(svg(width: 340, cssClass: "narrow", 5))</div>"
    }

    private func svg(width: Double, cssClass: String, _ most: Int) -> HTML {
        let prices = points.map(\.price) + (now.map { [$0.price] } ?? [])
        let stocks = points.map(\.stock) + (now.map { [$0.stock] } ?? [])
        let (least, highest) = (prices.min() ?? 0, prices.max() ?? 1)
        // A price that hardly moves looks so: without some room a cent would look like a cliff.
        let room = max((highest - least) * 0.1, highest * 0.02, 0.01)
        let y = Axis((least - room)...(highest + room), from: 190, to: 24)
        let x = Axis((stocks.min() ?? 0)...(stocks.max() ?? 1), from: 54, to: width - 14)
        let across = y.ticks(5).map { value -> HTML in
            """
            <line class="grid" x1="54" x2="\(width - 14)" y1="\(y.place(value))" y2="\(y.place(value))"/>\
            <text class="tick" x="48" y="\(y.place(value) + 4)" text-anchor="end">\(Decimals.grouped(Decimals.text(value, 2)))</text>
            """
        }
        let along = x.ticks(most).map { value -> HTML in
            "<text class=\"tick\" x=\"\(x.place(value))\" y=\"206\" text-anchor=\"middle\">\(Decimals.grouped(Decimals.text(value, 0)))</text>"
        }
        let thresholds = levels.filter { x.values.contains($0.stock) }.map { level -> HTML in
            """
            <line class="level" x1="\(x.place(level.stock))" x2="\(x.place(level.stock))" y1="24" y2="190"/>\
            <text class="level-name" x="\(x.place(level.stock) + 4)" y="20">\(level.label)</text>
            """
        }
        let mark = now.map { now -> HTML in
            """
            <circle class="now" cx="\(x.place(now.stock))" cy="\(y.place(now.price))" r="5"><title>now: \
            \(Decimals.text(now.stock, 0)) on hand, \(Decimals.fixed(now.price, 2))</title></circle>
            """
        }
        return """
            <svg class="\(cssClass)" viewBox="0 0 \(width) 216" role="img" aria-label="\(title)">\(across)\(along)\
            <text class="name" x="4" y="11">price</text>\
            <text class="name" x="4" y="206">stock</text>\
            \(thresholds)<path class="price" d="\(path(x, y))"/>\(mark)</svg>
            """
    }

    /// A price holds until the stock at which there is another one.
    private func path(_ x: Axis, _ y: Axis) -> String {
        guard let first = points.first, let last = points.last else { return "" }
        func place(_ value: Double) -> String { Decimals.text(value, 1) }
        var (path, price) = ("M\(place(x.place(first.stock))) \(place(y.place(first.price)))", first.price)
        for point in points where point.price != price {
            path += "H\(place(x.place(point.stock)))V\(place(y.place(point.price)))"
            price = point.price
        }
        return path + "H\(place(x.place(last.stock)))"
    }
}
