/// The dashboard's pages.
struct AdminPages: Sendable {
    let site: Site

    func add(to routes: inout Routes) {
        HomePage(site: site).add(to: &routes)
        DeedPages(site: site).add(to: &routes)
        ProductPages(site: site).add(to: &routes)
    }
}
