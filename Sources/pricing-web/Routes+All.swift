extension Routes {
    /// Every page and door of the site.
    static func all(_ site: Site) -> Routes {
        var routes = Routes()
        routes.get("/assets/{file}") { try site.assets.answer($0) }
        let stream = LiveStream(hub: site.hub)
        routes.get("/api/events") { try stream.answer($0) }
        SignInPages(site: site).add(to: &routes)
        StorePages(site: site).add(to: &routes)
        CartPages(site: site).add(to: &routes)
        HeldCheckout(site: site).add(to: &routes)
        OrderPages(site: site).add(to: &routes)
        AccountPages(site: site).add(to: &routes)
        AdminPages(site: site).add(to: &routes)
        DocsPages(site: site).add(to: &routes)
        APIDoors(site: site).add(to: &routes)
        return routes
    }
}
