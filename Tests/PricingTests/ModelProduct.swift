/// One product of a shop that is computed beside `sql/`, in integers and by the documents alone: what it costs after
/// each movement, and its ledger and price history. Money is cents, time hours since 1970. Of a strategy that models
/// demand it is given the target at every stock, in parts of a cent; all that makes a price of it is here.
struct ModelProduct {
    /// What a target has to a cent.
    static let fine = 10_000_000_000

    /// First price or declaration; tick; movement of stock.
    enum Occasion { case afresh, tick, stock }

    /// What the merchant typed, shares in percent.
    struct Declaration {
        let strategy: String
        let base: Int
        let limits: ClosedRange<Int>
        var low = 10
        var high = 100
        var up = 10
        var down = 10
        var gapShare = 5
        var tickHours = 24
        var bandTick = 8
        var bandStock = 15
        var cap: Int? = 20
        var cost = 0
        var margin = 0
        var step = 1
        var offset = 0
        var cooldownHours = 0
        var neverUp = false
        var coverDays = 30
        /// Further columns of the product, as SQL, by name.
        var more: [String: String] = [:]

        init(_ strategy: String, _ base: Int, _ limits: ClosedRange<Int>, _ also: (inout Self) -> Void = { _ in }) {
            (self.strategy, self.base, self.limits) = (strategy, base, limits)
            also(&self)
        }

        var modelsDemand: Bool { strategy != "bands" && strategy != "manual" }
        /// The lowest price: the floor, or the cost with its margin, rounded up.
        var lowest: Int { max(limits.lowerBound, (cost * (100 + margin) + 99) / 100) }
        var highest: Int { max(lowest, limits.upperBound) }
        /// Whether an evaluation without a tick may renew its target: no rate was typed, so that it is learned.
        var renews: Bool { modelsDemand && more["ref_rate"] == nil }
    }

    /// A line of the ledger or of the price history, without the order that it names: that one's place in the shop's.
    typealias Record = (text: String, order: Int?, at: Int)

    let declared: Declaration
    var isForSale = true
    var isArchived = false
    private(set) var stock = 0
    private(set) var held = 0
    private(set) var price = 0
    private(set) var anchor = 0
    private(set) var anchorDay = 0
    private(set) var band = 0
    private(set) var pin: Int?
    private(set) var pinnedUntil: Int?
    private(set) var records: [Record] = []
    var available: Int { stock - held }
    /// The price before the last change; of one that never moved, itself.
    private(set) var formerPrice = 0
    private var movements = 0
    private var changes = 0
    private var tickedAt = 0
    private var changedAt: Int?
    /// The target with so many units in stock, from 1 on, since the last tick.
    var targets: [Int] = []

    /// Puts the first stock on the shelf; the price that comes with it is no change.
    init(_ declared: Declaration, stock: Int, targets: [Int], at hour: Int) {
        self.declared = declared
        self.targets = targets
        self.stock = stock
        (tickedAt, anchorDay) = (hour, hour / 24)
        record(stock, "initial", nil, false, hour)
        price = evaluate(.afresh).price
        (anchor, formerPrice) = (price, price)
    }

    mutating func move(_ quantity: Int, _ kind: String, order: Int? = nil, endsOrder: Bool = false, at hour: Int) {
        stock += quantity
        record(quantity, kind, order, endsOrder, hour)
        post(.stock, kind, order, hour)
    }

    /// What a quote holds, or lets go of, moves no price.
    mutating func hold(_ quantity: Int, _ kind: String, order: Int? = nil, at hour: Int) {
        held += quantity
        record(quantity, kind, order, false, hour)
    }

    mutating func pin(_ price: Int, until end: Int?, at hour: Int) {
        (pin, pinnedUntil) = (price, end)
        post(.stock, "pin", nil, hour)
    }

    mutating func unpin(at hour: Int) {
        guard pin != nil else { return }
        (pin, pinnedUntil) = (nil, nil)
        post(.afresh, "unpin", nil, hour)
    }

    /// Ends a pin whose time has come by the targets that stood; then, where a period of the rule begins anew, goes by
    /// the new ones. The day's first tick anchors the daily cap.
    mutating func tick(_ newTargets: [Int], at hour: Int) {
        if let end = pinnedUntil, end <= hour { unpin(at: hour) }
        guard hour / declared.tickHours != tickedAt / declared.tickHours else { return }
        if anchorDay != hour / 24 { (anchor, anchorDay) = (price, hour / 24) }
        (tickedAt, targets) = (hour, newTargets)
        post(.tick, "tick", nil, hour)
    }

    private mutating func post(_ occasion: Occasion, _ cause: String, _ order: Int?, _ hour: Int) {
        let old = price
        let verdict = evaluate(occasion)
        price = verdict.price
        if occasion == .afresh { anchor = price }
        guard price != old else { return }
        changedAt = hour
        formerPrice = old
        changes += 1
        let binding = verdict.binding.map { " \($0)" } ?? ""
        records.append(("change \(changes) \(money(old)) \(money(price)) \(stock) \(cause)\(binding)", order, hour))
    }

    private mutating func record(_ quantity: Int, _ kind: String, _ order: Int?, _ endsOrder: Bool, _ hour: Int) {
        movements += 1
        records.append(("movement \(movements) \(kind) \(quantity) \(stock) \(endsOrder)", order, hour))
    }

    /// The price that is due, and the first guard that binds.
    private mutating func evaluate(_ occasion: Occasion) -> (price: Int, binding: String?) {
        if stock > 0 { band = nextBand }
        if let pin { return (pin, nil) }
        if stock == 0 && occasion != .afresh { return (price, nil) }
        if declared.strategy == "bands" {
            let percent = [100 - declared.down, 100, 100 + declared.up][band + 1]
            return guarded(declared.base * percent * (Self.fine / 100), occasion)
        }
        return guarded(declared.modelsDemand && stock > 0 ? targets[stock - 1] : declared.base * Self.fine, occasion)
    }

    /// 1 where stock is low, −1 where it is high; it must come past the threshold by the gap to go back.
    private var nextBand: Int {
        let gap = max(1, declared.gapShare * (declared.high - declared.low) / 100)
        if stock <= declared.low || (band == 1 && stock <= declared.low + gap) { return 1 }
        if stock >= declared.high || (band == -1 && stock >= declared.high - gap) { return -1 }
        return 0
    }

    /// Daily cap, limits, dead band, rounding, in this order. A first price and a declaration know neither cap nor dead
    /// band nor `neverUp`; `bands` has its gap instead of the dead band.
    private func guarded(_ target: Int, _ occasion: Occasion) -> (price: Int, binding: String?) {
        let fine = Self.fine
        let floor = declared.lowest
        var ceiling = declared.limits.upperBound
        var binding: String?
        var capped = target
        if occasion != .afresh {
            if declared.neverUp { ceiling = min(ceiling, price) }
            if let cap = declared.cap {
                let part = anchor * (fine / 100)
                capped = min(max(target, part * (100 - cap)), part * (100 + cap))
                if capped != target { binding = "daily_cap" }
            }
        }
        let limited = max(min(capped, ceiling * fine), floor * fine)
        if limited != capped { binding = binding ?? (limited == floor * fine ? "floor" : "ceiling") }
        let rounded = max(min(Self.rounded(limited, declared.step, declared.offset), max(floor, ceiling)), floor)
        guard occasion != .afresh, floor...max(floor, ceiling) ~= price else { return (rounded, binding) }
        let cools = declared.cooldownHours > 0 && changedAt.map { $0 > tickedAt - declared.cooldownHours } ?? false
        let share = occasion == .tick ? declared.bandTick : declared.bandStock
        let deadBand = max(share * price * (fine / 100), 75 * declared.step * (fine / 100))
        if cools || (declared.strategy != "bands" && abs(limited - price * fine) <= deadBand) {
            return (price, binding ?? (rounded == price ? nil : "dead_band"))
        }
        return (rounded, binding)
    }

    /// To k × step − offset in cents, half up; what lies more than half a step below the first of them to the cent.
    private static func rounded(_ amount: Int, _ step: Int, _ offset: Int) -> Int {
        let times = (2 * (amount + offset * fine) / (step * fine) + 1) / 2
        return times >= 1 ? times * step - offset : max(1, (2 * amount / fine + 1) / 2)
    }
}
