/// A drawing, for the terminal and as SVG.
protocol Plot: Sendable {
    var lines: [String] { get }
    var svg: String { get }
}

/// Price and stock along one season.
struct SeasonPlot: Plot {
    let title: String
    /// Not empty, in order of time.
    let path: [PathPoint]
    /// Days.
    let horizon: Double

    private static let columns = 72

    /// The last evaluation at or before a moment.
    private func point(at time: Double) -> PathPoint? {
        path.last { $0.time <= time } ?? path.first
    }

    // MARK: terminal

    /// Two panels of characters, prices above and stock below, time to the right.
    var lines: [String] {
        let sampled = (0..<Self.columns).compactMap { point(at: (Double($0) + 0.5) * horizon / Double(Self.columns)) }
        return [title] + panel(sampled.map(\.price), rows: 12, "price", digits: 2)
            + panel([path.first?.stock ?? 0] + sampled.dropFirst().map(\.stock), rows: 6, "stock", digits: 0, from: 0)
            + [
                String(repeating: " ", count: 11) + "day 0" + String(repeating: " ", count: Self.columns - 10)
                    + LabTable.fixed(horizon, 0)
            ]
    }

    private func panel(_ values: [Double], rows: Int, _ name: String, digits: Int, from: Double? = nil) -> [String] {
        let low = from ?? values.min() ?? 0
        let high = max(values.max() ?? 1, low + 1e-9)
        func row(_ value: Double) -> Int { Int(((value - low) / (high - low) * Double(rows - 1)).rounded()) }
        return (0..<rows).reversed().map { number in
            let label =
                number == rows - 1 ? LabTable.fixed(high, digits) : number == 0 ? LabTable.fixed(low, digits) : ""
            let head = number == rows / 2 ? name : label
            let filling = String(repeating: " ", count: max(0, 9 - head.count))
            return filling + head + " │"
                + values.map { row($0) == number ? "━" : from != nil && row($0) > number ? "░" : " " }.joined()
        }
    }

    // MARK: SVG

    /// A drawing of 800 by 480: prices above, stock below, one step at each change.
    var svg: String {
        let highest = max(path.map(\.price).max() ?? 1, 1e-9)
        let most = max(path.map(\.stock).max() ?? 1, 1)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 480" font-family="sans-serif" font-size="13">
            <rect width="800" height="480" fill="#fff"/>
            <text x="60" y="24" font-size="16">\(title.svgText)</text>
            <g stroke="#999" fill="none"><path d="M60 40V300H780"/><path d="M60 330V440H780"/></g>
            <g text-anchor="end"><text x="54" y="50">\(LabTable.fixed(highest, 2))</text><text x="54" y="300">0</text>
            <text x="54" y="340">\(LabTable.fixed(most, 0))</text><text x="54" y="440">0</text>
            <text x="780" y="460">day \(LabTable.fixed(horizon, 0))</text></g>
            <text x="66" y="52">price</text><text x="66" y="342">stock</text>
            <path d="\(steps(\.price, highest, 300, 250))" fill="none" stroke="#0b62c4" stroke-width="2"/>
            <path d="\(steps(\.stock, most, 440, 100))" fill="none" stroke="#a3541b" stroke-width="2"/>
            </svg>

            """
    }

    private func steps(_ value: KeyPath<PathPoint, Double>, _ top: Double, _ bottom: Double, _ height: Double) -> String
    {
        var text = ""
        for point in path {
            let x = LabTable.fixed(60 + 720 * point.time / horizon, 1)
            let y = LabTable.fixed(bottom - height * point[keyPath: value] / top, 1)
            text += text.isEmpty ? "M\(x) \(y)" : "H\(x)V\(y)"
        }
        return text + "H780"
    }
}

extension String {
    /// As text of an SVG.
    var svgText: String {
        reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
    }
}
