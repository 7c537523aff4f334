/// The dashboard's pages.
struct AdminPages: Sendable {
    let site: Site

    func add(to routes: inout Routes) {
        HomePage(site: site).add(to: &routes)
        DeedPages(site: site).add(to: &routes)
        ProductPages(site: site).add(to: &routes)
        Lists(site: site).add(to: &routes)
        PricesPage(site: site).add(to: &routes)
        AdminOrders(site: site).add(to: &routes)
        RulePages(site: site).add(to: &routes)
        ReportPages(site: site).add(to: &routes)
        OperationsPages(site: site).add(to: &routes)
    }
}
