import Glibc
import JSON

/// How the estimates of a shop's products close in on the truth along its season. What is shown is the factor, up or down,
/// that lies between an estimate and the truth: the geometric mean over the products, at the beginning of each day. 1 is the
/// truth. A product that is sold out keeps its last estimate.
struct EstimatePlot: Plot {
    private struct Curve {
        let policy: String
        let rate: [Double]
        let elasticity: [Double]
    }

    private let curves: [Curve]
    private let days: Int

    /// - Parameters:
    ///   - rows: with their paths.
    ///   - scenarios: the products, with what was typed and how far it is from the truth.
    init(_ rows: [LabRow], of scenarios: [JSONObject], under policies: [String]) {
        func number(_ scenario: JSONObject, _ member: String) -> Double { scenario[member]?.double ?? 1 }
        let days = Int(scenarios.map { number($0, "horizon_days") }.max() ?? 0)
        self.days = days
        let truths = Dictionary(
            scenarios.map { scenario in
                (
                    scenario["name"]?.string ?? "",
                    (
                        rate: number(scenario, "ref_rate") * number(scenario, "true_rate"),
                        elasticity: number(scenario, "elasticity") * number(scenario, "true_elasticity")
                    )
                )
            },
            uniquingKeysWith: { first, _ in first }
        )
        curves = policies.compactMap { policy in
            let learned = rows.filter { $0.policy == policy }
                .compactMap { row in truths[row.scenario].map { (row, $0) } }
            guard learned.contains(where: { $0.0.path.contains { $0.rate != nil } }) else { return nil }
            func factors(_ far: (PathPoint, (rate: Double, elasticity: Double)) -> Double) -> [Double] {
                (0...days).map { day in
                    let logs = learned.compactMap { row, truth in
                        row.path.last { $0.time <= Double(day) }.map { abs(log(far($0, truth))) }
                    }
                    return exp(logs.reduce(0, +) / Double(max(1, logs.count)))
                }
            }
            return Curve(
                policy: policy,
                rate: factors { ($0.rate ?? $1.rate) / $1.rate },
                elasticity: factors { ($0.elasticity ?? $1.elasticity) / $1.elasticity }
            )
        }
    }

    // MARK: terminal

    var lines: [String] {
        let shown = [0, 1, 2, 4, 7, 14, 21, 30, 45, 60].filter { $0 < days } + [days]
        let width = max(8, curves.map(\.policy.count).max() ?? 0)
        func line(_ name: String, _ cells: [String]) -> String {
            name + String(repeating: " ", count: width + 2 - name.count)
                + cells.map { String(repeating: " ", count: 7 - $0.count) + $0 }.joined()
        }
        func panel(_ name: String, _ factors: KeyPath<Curve, [Double]>) -> [String] {
            [line(name, shown.map { "day \($0)" })]
                + curves.map { curve in line(curve.policy, shown.map { LabTable.fixed(curve[keyPath: factors][$0], 3) })
                }
        }
        return ["", "How far the estimates are from the truth, as a factor"]
            + panel("rate", \.rate) + panel("elasticity", \.elasticity)
    }

    // MARK: SVG

    private static let colours = ["#a3541b", "#0b62c4", "#2d7a3a", "#7a2d72"]

    /// A drawing of 800 by 480: rates on the left, elasticities on the right, a line a policy.
    var svg: String {
        let highest = max(1.1, curves.flatMap { $0.rate + $0.elasticity }.max() ?? 1)
        let names = curves.indices.map { index in
            """
            <text x="60" y="\(50 + 18 * index)" fill="\(Self.colour(index))">\(curves[index].policy.svgText)</text>
            """
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 480" font-family="sans-serif" font-size="13">
            <rect width="800" height="480" fill="#fff"/>
            <text x="60" y="24" font-size="16">How far the estimates are from the truth, as a factor</text>
            \(names.joined(separator: "\n"))
            \(panel("rate", \.rate, left: 60, highest))
            \(panel("elasticity", \.elasticity, left: 450, highest))
            </svg>

            """
    }

    private func panel(_ name: String, _ factors: KeyPath<Curve, [Double]>, left: Double, _ highest: Double) -> String {
        func y(_ factor: Double) -> String { LabTable.fixed(440 - 310 * (factor - 1) / (highest - 1), 1) }
        let paths = curves.indices.map { index in
            let points = curves[index][keyPath: factors].enumerated().map { day, factor in
                "\(LabTable.fixed(left + 320 * Double(day) / Double(max(1, days)), 1)) \(y(factor))"
            }
            return """
                <path d="M\(points.joined(separator: "L"))" fill="none" stroke="\(Self.colour(index))" stroke-width="2"/>
                """
        }
        let start = LabTable.fixed(left, 0)
        return """
            <g stroke="#999" fill="none"><path d="M\(start) 120V440H\(LabTable.fixed(left + 320, 0))"/></g>
            <g text-anchor="end"><text x="\(LabTable.fixed(left - 6, 0))" y="\(y(1))">1</text>
            <text x="\(LabTable.fixed(left - 6, 0))" y="134">\(LabTable.fixed(highest, 2))</text>
            <text x="\(LabTable.fixed(left + 320, 0))" y="460">day \(days)</text></g>
            <text x="\(LabTable.fixed(left + 8, 0))" y="112">\(name)</text>
            \(paths.joined(separator: "\n"))
            """
    }

    private static func colour(_ index: Int) -> String { colours[index % colours.count] }
}
