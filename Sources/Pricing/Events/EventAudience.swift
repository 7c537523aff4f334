import JSON
import PricingProtocol

/// Whom a subscription is for: what it is told of an event.
struct EventAudience: Sendable {
    /// The topics that it may follow; nil for all, told whole.
    let topics: Set<String>?
    /// The customer whose orders it is told of.
    let customer: Int64?
    /// The login that it stands under; it ends with that.
    let login: Int64?

    /// All of every event.
    static let peer = EventAudience(topics: nil, customer: nil, login: nil)

    private init(topics: Set<String>?, customer: Int64?, login: Int64?) {
        self.topics = topics
        self.customer = customer
        self.login = login
    }

    init(_ caller: Caller) {
        topics = caller.audience.isStaff ? nil : Set(Events.topics(for: caller.audience))
        customer = caller.customer
        login = caller.person?.loginID
    }

    /// What it is told of an event, as the text of an object; nil for nothing.
    func told(_ event: DaemonStatements.Event) -> JSONText? {
        guard let topics else { return JSONText(compacting: event.text) }
        guard topics.contains(event.topic), let whole = (try? JSONParser.parse(event.text))?.object,
            let shown = Events.event.shown(of: whole)
        else { return nil }
        if event.topic == "order", customer == nil || shown["after"]?["customerId"]?.integer != customer { return nil }
        return JSONText(shown)
    }
}
