import JSON

/// What a person wants done: a call whose named things are not known by id yet.
struct Deed: Equatable {
    /// A thing that is named, and where its id goes.
    struct Slot: Equatable {
        var reference: Reference
        /// The parameter; nil for the one that its kind has.
        var parameter: String?
        /// Of a line of an order: which.
        var line: Int?

        /// Where its id goes, as JSON Pointers; several where its kind is not known yet.
        var paths: [String] {
            if let line { return ["/lines/\(line)/productId"] }
            return parameter.map { ["/" + $0] } ?? reference.kinds.map { "/" + $0.parameter }
        }
    }

    var word: DeedWord
    /// Nil where the kind of the thing decides it.
    var method: String?
    var parameters = JSONObject()
    var slots: [Slot] = []
    /// The times that were named, absolutely.
    var echoes: [String] = []
    /// Where the values of the call stand in what was typed, by JSON Pointer.
    var places: [String: Range<Int>] = [:]
    /// `find`: low, high or pinned; `plot`: stock.
    var filter: String?
    /// `watch`: the events that concern it, price, stock or order.
    var topic: String?
    /// Show the effect, and do nothing.
    var isAttempt = false
    /// Too much for one word: asked whatever it would do.
    var isGrave = false
    /// `undo PRODUCT`: its last price change is meant.
    var takesLastChange = false

    /// The call, once every named thing is known.
    func call(_ things: [Named]) -> (method: String, parameters: JSONObject) {
        var filled = parameters
        for (slot, thing) in zip(slots, things) {
            let id = JSONValue.integer(thing.id)
            if let line = slot.line {
                var lines = filled["lines"]?.array ?? []
                var object = lines[line].object ?? [:]
                object["productId"] = id
                lines[line] = .object(object)
                filled["lines"] = .array(lines)
            } else if slot.parameter == "productIds" {
                filled["productIds"] = [id]
            } else {
                filled[slot.parameter ?? thing.kind.parameter] = id
            }
        }
        return (method ?? things.first?.kind.method ?? "", filled)
    }
}
