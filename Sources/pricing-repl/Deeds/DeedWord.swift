/// The words for people; each becomes calls of the wire.
enum DeedWord: String, CaseIterable {
    case find
    case show
    case why
    case history
    case plot
    case restock
    case adjust
    case expect
    case sell
    case pin
    case unpin
    case halt
    case resume
    case undo
    case rule
    case who
    case watch
    case tail
    case `try`

    /// Whether it only looks, and so may be done again and again.
    var isReading: Bool { [.find, .show, .why, .history, .plot, .who].contains(self) }

    /// What follows the word.
    var arguments: String {
        switch self {
        case .find: "WORDS [cat CATEGORY] [low|high|pinned] [under PRICE] [over PRICE]"
        case .show: "PRODUCT | order N | user E-MAIL | rule NAME"
        case .why: "PRODUCT [at STOCK]"
        case .history: "PRODUCT [since WHEN]"
        case .plot: "PRODUCT [stock] [since WHEN]"
        case .restock: "PRODUCT +N [REASON]"
        case .adjust: "PRODUCT +N|-N [REASON]"
        case .expect: "PRODUCT +N on WHEN [REASON]"
        case .sell: "PRODUCT [xN], PRODUCT [xN] to USER"
        case .pin: "PRODUCT PRICE [until WHEN] [REASON]"
        case .unpin: "PRODUCT [\"REASON\"]"
        case .halt: "[PRODUCT|CATEGORY|all REASON]"
        case .resume: "PRODUCT|CATEGORY|all [\"REASON\"]"
        case .undo: "[PRODUCT] since WHEN | PRODUCT | change N"
        case .rule: "NAME PARAMETER=VALUE …"
        case .who: "PRODUCT | rule NAME"
        case .watch: "price|stock [WORDS] | orders | PRODUCT | COMMAND [every 2s] [until MEMBER=VALUE]"
        case .tail: "price|stock|orders [PRODUCT] | PRODUCT"
        case .try: "COMMAND"
        }
    }

    /// For people who have read the summary and wonder still.
    var example: String {
        switch self {
        case .find: "find yoga low · find cat kitchen under 20"
        case .show: "show yoga mat · show order 7 · show user chloe · show rule bands"
        case .why: "why yoga mat · why yoga mat at 3"
        case .history: "history 18 since january"
        case .plot: "plot 18 · plot 18 stock since monday"
        case .restock: "restock yoga mat +20"
        case .adjust: "adjust 18 -2 broken"
        case .expect: "expect 18 +50 on monday"
        case .sell: "sell yoga mat x2, 19 to chloe"
        case .pin: "pin 18 35 until sunday spring fair"
        case .unpin: "unpin 18"
        case .halt: "halt kitchen \"supplier feed wrong\" · halt 18 \"recount\""
        case .resume: "resume kitchen · resume all"
        case .undo: "undo 18 · undo since yesterday 22:00"
        case .rule: "rule bands up=20%"
        case .who: "who 18 · who rule bands"
        case .watch: "watch price · watch stock cat kitchen · watch yoga mat until stock<5 · watch why 18 every 5s"
        case .tail: "tail price · tail orders · tail yoga mat"
        case .try: "try restock 18 +20"
        }
    }

    var summary: String {
        switch self {
        case .find: "products by words of their title or SKU"
        case .show: "what it is"
        case .why: "why the price is so, what it did, what moves it next"
        case .history: "the price's moves"
        case .plot: "the price over time, or the stock, as a chart"
        case .restock: "goods came in"
        case .adjust: "stock is other than was thought"
        case .expect: "goods are on their way"
        case .sell: "places an order"
        case .pin: "a price that automation leaves alone"
        case .unpin: "gives a pinned price back to automation"
        case .halt: "automatic prices stand still; alone: all, after a yes"
        case .resume: "they go on"
        case .undo: "takes price moves back"
        case .rule: "the next version of a rule, in force after a yes"
        case .who: "who did what to it"
        case .watch: "looks at every change and again and again, in one place"
        case .tail: "what happens, a line each, above the prompt"
        case .try: "shows what the command would do, and does nothing; so does a ? at its end"
        }
    }

    /// What kinds of things may be named next, for completion.
    func kinds(after words: [String]) -> [Reference.Kind] {
        switch self {
        case .find, .try: []
        case .sell: [.product]
        case _ where !words.isEmpty: []
        case .rule: [.rule]
        case .halt, .resume: [.category, .product]
        default: [.product]
        }
    }

    /// The method whose description says how the words are read; nil where they say it themselves.
    var typingMethod: String? {
        switch self {
        case .rule: "rule.revise"
        case .sell: "order.place"
        default: nil
        }
    }
}
