import Markup

/// The frame around a page: head, navigation, notices.
struct Page {
    enum World {
        /// The dashboard, with the path of the section that is shown.
        case admin(String)
        case store
    }

    let title: String
    let world: World
    let visit: Visit?
    let site: Site
    let body: HTML
    /// The stream's number from before the page's own reads: its stream goes on from there.
    let sequence: Int64?

    init(_ title: String, in world: World, visit: Visit?, site: Site, sequence: Int64? = nil, body: HTML) {
        self.title = title
        self.world = world
        self.visit = visit
        self.site = site
        self.body = body
        self.sequence = sequence
    }

    var html: HTML {
        let (style, content) =
            switch world {
            case .admin(let section): ("admin.css", admin(section))
            case .store: ("store.css", store)
            }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title)</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <link rel="icon" href="\(site.assets.path("icon.svg"))" type="image/svg+xml">
            <link rel="stylesheet" href="\(site.assets.path("base.css"))">
            <link rel="stylesheet" href="\(site.assets.path(style))">
            <script type="module" src="\(site.assets.path("live.js"))"></script>
            </head><body\(HTML.attribute("data-sequence", sequence.map { String($0) }))\
            \(HTML.attribute("data-who", visit?.person.map { String($0.userId) }))>
            <a class="skip" href="#main">To the content</a>\(banner)\(content)</body></html>
            """
    }

    /// What says that the daemon is away; scripts show and hide it.
    private var banner: HTML {
        let since = site.daemon.awaySince
        return """
            <div id="away" role="status"\(HTML.flag("hidden", since == nil))>The shop has not answered since \
            <span id="away-since">\(since.map { "\($0.clock) UTC" } ?? "")</span>. This page goes on by itself when it is back.</div>
            """
    }

    private var notice: HTML {
        guard let done = visit?.query["done"], let sentence = Notices.sentence(done) else { return HTML() }
        return "<p class=\"notice\" role=\"status\">\(sentence)</p>"
    }

    private var signOut: HTML {
        "<form action=\"/sign-out\" method=\"post\"><button class=\"plain\" type=\"submit\">Sign out</button></form>"
    }

    // MARK: worlds

    private func admin(_ section: String) -> HTML {
        let links = Page.sections.map { entry -> HTML in
            let current = entry.path == section ? "page" : nil
            return "<li><a href=\"\(entry.path)\"\(HTML.attribute("aria-current", current))>\(entry.title)</a></li>"
        }
        let person = visit?.person
        return """
            <div class="frame"><header class="side"><a class="brand" href="/">pricingd</a><nav aria-label="Sections"><ul>\(links)</ul></nav>\
            <div class="who">\(person.map { "<span title=\"\($0.role)\">\($0.email)</span>" as HTML })\
            \(HTML.when(person != nil, signOut))</div></header>\
            <main id="main">\(notice)\(body)</main></div>
            """
    }

    static let sections: [(path: String, title: String)] = [
        ("/", "Home"), ("/products", "Products"), ("/stock", "Stock"), ("/orders", "Orders"),
        ("/prices", "Price changes"), ("/rules", "Rules"), ("/campaigns", "Campaigns"), ("/proposals", "Proposals"),
        ("/quotes", "Quotes"), ("/users", "Users"),
        ("/suppliers", "Suppliers"), ("/categories", "Categories"), ("/reports", "Reports"),
        ("/integrity", "Integrity"), ("/operations", "Operations"), ("/docs", "API"), ("/store", "Store"),
    ]

    private var store: HTML {
        let person = visit?.person
        let units = visit.map { Cart($0.headers).units } ?? 0
        let account: HTML =
            if let person {
                """
                <a href="/store/orders">Orders</a><a href="/store/account">\(person.name.isEmpty ? person.email : person.name)</a>\
                \(HTML.when(person.isStaff, "<a href=\"/\">Dashboard</a>"))\(signOut)
                """
            } else { "<a href=\"/sign-in?to=/store\">Sign in</a>" }
        return """
            <header class="top"><a class="brand" href="/store">The Shop</a>\
            <form class="find" action="/store" method="get" role="search"><label class="sr" for="find">Search</label>\
            <input type="search" id="find" name="search" placeholder="Search" value="\(visit?.query["search"] ?? "")">\
            <button type="submit">Search</button></form>\
            <nav aria-label="Yours">\(account)<a class="cart" href="/store/cart">Cart <b>\(units)</b></a></nav></header>\
            <main id="main">\(notice)\(body)</main>
            """
    }
}

/// What a page says at its top after something was done.
enum Notices {
    private static let sentences = [
        "signed-in": "You are signed in.", "signed-out": "You are signed out.", "added": "It is in your cart.",
        "removed": "It is out of your cart.", "changed": "The cart is changed.",
        "password": "Your password is changed.",
        "account": "Your account is changed.", "registered": "Welcome. You are registered and signed in.",
        "cancelled": "The order is cancelled.", "returned": "The return is noted.",
        "none-chosen": "Choose some products first, by the boxes at their begin.",
        "many": "It is done, as it was shown.",
    ]

    static func sentence(_ name: String) -> String? {
        sentences[name] ?? Deed.all[name].map { $0.done }
    }
}
