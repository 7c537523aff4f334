import Glibc
import JSON
import PricingClient

/// Scenarios drawn from one stated family, so that a policy can be tried on cases that were not picked.
///
/// base 10 to 500; stock 5 to 150; 14 to 60 days; what would sell at base over the season is 0.4 to 4 times the stock
/// (all these log-uniform). Demand is exponential, exponential with 0.5 to 4 % decay a day, linear, logit or isoelastic,
/// a fifth each, with an elasticity of 0.9 to 3.5 at base (isoelastic: 1.3 to 3.5). The season is flat, a ramp times a
/// week, or a shock of 0.3 to 3 times from some day on, a third each. The merchant knows ramp and week half the time,
/// a shock never, the decay half the time; the believed rate is 0.4 to 2.5 times, the believed elasticity 0.5 to 2 times
/// the truth, each in two thirds of cases, else right. A quarter has salvage of 5 to 30 % of base.
struct RandomScenarios {
    /// How many times what a merchant typed the shop really sells, and how many times as sensitive to price its buyers are.
    struct ShopError: Equatable {
        var rate = 1.0
        var elasticity = 1.0
        /// By how much each product errs by itself besides: the deviation of the logarithm of either.
        var own = 0.0

        /// As far in the other direction.
        var reversed: ShopError { ShopError(rate: 1 / rate, elasticity: 1 / elasticity, own: own) }

        /// That of one product, between a tenth and ten times.
        func ofOne(using random: inout SplitMix64) -> ShopError {
            // Two independent normal deviates (Box and Muller 1958).
            let radius = own * sqrt(-2 * log(Double.random(in: Double.leastNormalMagnitude...1, using: &random)))
            let angle = Double.random(in: 0..<(2 * .pi), using: &random)
            return ShopError(
                rate: min(max(rate * exp(radius * cos(angle)), 0.1), 10),
                elasticity: min(max(elasticity * exp(radius * sin(angle)), 0.1), 10)
            )
        }
    }

    /// The same, for people.
    static let family = """
        Scenarios of --random: base 10 to 500, stock 5 to 150, 14 to 60 days, demand at base 0.4 to 4 times the stock; \
        willingness to pay exponential, exponential with decay, linear, logit or isoelastic with elasticity 0.9 to 3.5 \
        at base; seasons flat, a ramp times a week, or an unannounced shock of 0.3 to 3 times; in two thirds of cases \
        each the believed rate is 0.4 to 2.5 times and the believed elasticity 0.5 to 2 times the truth; ramp, week and \
        decay are known half the time; a quarter has salvage of 5 to 30 % of base. Their optimum is computed. The products of --shops are of the same \
        family, but season and decay are known and every rate and elasticity errs by what --error says, besides by a \
        factor of its own where that says so.
        """

    private var random: SplitMix64
    /// Of the products' own errors, so that with any errors the products are the same.
    private var errors: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        errors = SplitMix64(seed: ~seed)
    }

    /// The first `count` scenarios of the seed.
    mutating func draw(_ count: Int) -> [JSONObject] {
        (1...count).map { scenario("random_\($0)") }
    }

    /// The first `count` products of the seed's shop: of the same family, but the merchant knows season and decay, and errs
    /// alike in all of them, or as far in the other direction in the first `unlike`.
    mutating func draw(_ count: Int, erring error: ShopError, unlike: Int = 0) -> [JSONObject] {
        (1...count).map { number in
            let error = (number <= unlike ? error.reversed : error).ofOne(using: &errors)
            var scenario = scenario("product_\(number)", erring: error)
            scenario["true_rate"] = .decimal("\(error.rate)")
            scenario["true_elasticity"] = .decimal("\(error.elasticity)")
            return scenario
        }
    }

    private mutating func scenario(_ name: String, erring shop: ShopError? = nil) -> JSONObject {
        let base = logUniform(10, 500).rounded()
        let stock = logUniform(5, 150).rounded()
        let horizon = logUniform(14, 60).rounded()
        let (demand, share, elasticity, decay) = demand(base)
        let season = season(horizon)
        let rate = logUniform(0.4, 4) * stock / horizon
        let believed =
            shop.map { (rate: rate / $0.rate, elasticity: min(20, elasticity / $0.elasticity)) }
            ?? (rate: rate * error(0.4, 2.5), elasticity: elasticity * error(0.5, 2))
        var scenario: JSONObject = [
            "name": .string(name), "stock": .integer(Int64(stock)), "horizon_days": .integer(Int64(horizon)),
            "customers_per_day": .decimal("\(rate / share)"), "demand": .string(demand),
            "season_true": .string(season.truth),
            "season_believed": .string(shop == nil ? season.belief : season.truth),
            "season_max": .decimal("\(season.maximum)"), "base": .integer(Int64(base)),
            "ref_rate": .decimal("\(believed.rate)"), "elasticity": .decimal("\(believed.elasticity)"),
            "believed_decay": .decimal("\(shop == nil ? decay.belief : decay.truth)"),
            "seed": .integer(Int64(random.next() >> 11)),
        ]
        if chance(0.25) { scenario["salvage"] = .decimal("\((base * uniform(0.05, 0.3)).rounded())") }
        return scenario
    }

    /// Demand as text, the share of customers who would pay base on the first day, the elasticity there, and the decay
    /// that the merchant believes in.
    private mutating func demand(
        _ base: Double
    ) -> (String, share: Double, elasticity: Double, decay: (truth: Double, belief: Double)) {
        let elasticity = logUniform(0.9, 3.5)
        switch Int(uniform(0, 5)) {
        case 0: return ("exponential(\(base / elasticity))", exp(-elasticity), elasticity, (0, 0))
        case 1:
            let decay = logUniform(0.005, 0.04)
            let demand = "exponential_decay(\(base / elasticity),\(decay))"
            return (demand, exp(-elasticity), elasticity, (decay, chance(0.5) ? decay : 0))
        case 2: return ("linear(\(base * (1 + 1 / elasticity)))", 1 / (1 + elasticity), elasticity, (0, 0))
        case 3:
            // elasticity = base / scale (1 - share)
            let share = uniform(0.2, 0.8)
            let scale = base * (1 - share) / elasticity
            return ("logit(\(base + scale * log(share / (1 - share))),\(scale))", share, elasticity, (0, 0))
        default:
            let elasticity = max(1.3, elasticity)
            let least = base * uniform(0.3, 0.7)
            return ("isoelastic(\(least),\(elasticity))", pow(base / least, -elasticity), elasticity, (0, 0))
        }
    }

    private mutating func season(_ horizon: Double) -> (truth: String, belief: String, maximum: Double) {
        switch Int(uniform(0, 3)) {
        case 0: return ("1", "1", 1)
        case 1:
            let (first, swing) = (uniform(0.3, 1.7), uniform(0.1, 0.6))
            let text = "ramp(\(first),\(2 - first))*weekly(\(swing),\(uniform(0, 7)))"
            return (text, chance(0.5) ? text : "1", max(first, 2 - first) * (1 + swing))
        default:
            let factor = logUniform(0.3, 3)
            return ("steps(\((horizon * uniform(0.2, 0.7)).rounded()):\(factor))", "1", max(1, factor))
        }
    }

    private mutating func error(_ low: Double, _ high: Double) -> Double {
        chance(2.0 / 3) ? logUniform(low, high) : 1
    }

    private mutating func chance(_ share: Double) -> Bool { uniform(0, 1) < share }

    private mutating func uniform(_ low: Double, _ high: Double) -> Double {
        Double.random(in: low..<high, using: &random)
    }

    private mutating func logUniform(_ low: Double, _ high: Double) -> Double {
        exp(uniform(log(low), log(high)))
    }
}
