import JSON
import Markup

/// A day again: the prices that moved on it as they stood at any of its minutes.
struct ReplayPage: Sendable {
    static let path = "/prices/replay"
    /// As many moves of a day as are read, by pages of 500.
    private static let mostPages = 8

    let site: Site

    func add(to routes: inout Routes) {
        routes.get(ReplayPage.path) { try await answer($0) }
    }

    /// A product whose price moved on the day.
    private struct Course {
        let productId: Int64
        let title: String
        /// Its prices: the minute of the day from which each stood, and why; the first one from the day's begin.
        var prices: [(minute: Int, price: String, why: String)]

        /// The last one that stood by a minute.
        func at(_ minute: Int) -> (minute: Int, price: String, why: String) {
            prices.last { $0.minute <= minute } ?? prices[0]
        }
    }

    private func answer(_ visit: Visit) async throws -> Answer {
        try visit.requireStaff()
        let today = String(Now.moment.text.prefix(10))
        let day = visit.query["day"].flatMap { Moment($0 + "T00:00:00.000Z") == nil ? nil : $0 } ?? today
        guard let begin = Moment(day + "T00:00:00.000Z") else { throw Refusal(404, "There is no such day.") }
        let minute =
            ReplayPage.minute(visit.query["at"]) ?? (day == today ? ReplayPage.minute(Now.moment.clock) : nil) ?? 1439
        let (courses, isWhole) = try await courses(visit, begin)
        let warning: HTML = """
            <p class="warning">More moved on this day than is shown here: only the latest moves are.</p>
            """
        let empty: HTML = "<p class=\"empty\">No price moved on this day.</p>"
        let body: HTML = """
            <p class="crumbs"><a href="\(PricesPage.path)">Price changes</a></p><h1>A day again</h1>\
            <p class="quiet">The prices that moved on the day, as they stood at a time of it (UTC).</p>\
            \(form(begin, minute))\(HTML.when(!isWhole, warning))<div class="card">\
            \(courses.isEmpty ? empty : table(courses, minute))</div>\
            <script type="module" src="\(site.assets.path("replay.js"))"></script>
            """
        let page = Page("A day again", in: .admin(PricesPage.path), visit: visit, site: site, body: body)
        return .html(page.html)
    }

    /// The minute of the day that a time such as 14:30 names.
    private static func minute(_ text: String?) -> Int? {
        let parts = (text ?? "").split(separator: ":")
        guard parts.count >= 2, let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour),
            (0..<60).contains(minute)
        else { return nil }
        return hour * 60 + minute
    }

    private static func clock(_ minute: Int) -> String { Moment(seconds: Double(minute * 60)).clock }

    private func courses(_ visit: Visit, _ begin: Moment) async throws -> ([Course], isWhole: Bool) {
        var params: JSONObject = [
            "from": .string(begin.text), "to": .string(Moment(seconds: begin.seconds + 86_400).text), "limit": 500,
        ]
        var moves: [JSONValue] = []
        var cursor: JSONValue?
        for _ in 0..<ReplayPage.mostPages {
            let reply = try await site.call(visit, "price.changes", params)
            moves += reply["items"]?.array ?? []
            cursor = reply["nextCursor"].flatMap { $0.isNull ? nil : $0 }
            guard let cursor else { break }
            params["cursor"] = cursor
        }
        var courses: [Int64: Course] = [:]
        for move in moves.reversed() {
            guard let id = move["productId"]?.integer, let old = move["old"]?.string, let new = move["new"]?.string,
                let at = (move["at"]?.string).flatMap(Moment.init)
            else { continue }
            var course =
                courses[id]
                ?? Course(productId: id, title: move["title"]?.string ?? "", prices: [(0, old, "as the day began")])
            course.prices.append((Int((at.seconds - begin.seconds) / 60), new, PricesPage.why(move)))
            courses[id] = course
        }
        return (courses.values.sorted { ($0.title, $0.productId) < ($1.title, $1.productId) }, cursor == nil)
    }

    private func form(_ begin: Moment, _ minute: Int) -> HTML {
        func link(_ days: Double, _ word: HTML) -> HTML {
            let day = String(Moment(seconds: begin.seconds + days * 86_400).text.prefix(10))
            return "<a class=\"button second\" href=\"\(Link.to(ReplayPage.path, [("day", day)]))\">\(word)</a>"
        }
        return """
            <form action="\(ReplayPage.path)" method="get" class="row filters replay">\
            <div class="field"><label for="f-day">Day</label>\
            <input type="date" id="f-day" name="day" value="\(String(begin.text.prefix(10)))" required></div>\
            <div class="field"><label for="f-at">Time</label>\
            <input type="time" id="f-at" name="at" value="\(ReplayPage.clock(minute))" required></div>\
            <button type="submit">Show</button>\(link(-1, "The day before"))\(link(1, "The day after"))\
            <div class="field slider" hidden><label for="f-slide">Through the day</label>\
            <input type="range" id="f-slide" min="0" max="1439" value="\(minute)"></div></form>
            """
    }

    private func table(_ courses: [Course], _ minute: Int) -> HTML {
        let rows = courses.map { course -> [HTML] in
            let now = course.at(minute)
            let first = course.prices[0].price
            // What the slider needs, so that it asks nobody: minute, price, change and reason of each.
            let moves = JSONValue.array(
                course.prices.map { price in
                    [
                        .integer(Int64(price.minute)), .string(Words.money(price.price)),
                        .string(ReplayPage.change(first, price.price)), .string(price.why),
                    ]
                }
            )
            return [
                "<a href=\"/products/\(course.productId)\">\(course.title)</a>", "\(Words.money(first))",
                "<b data-course=\"\(moves.description)\">\(Words.money(now.price))</b>",
                "<span>\(ReplayPage.change(first, now.price))</span>", "<span>\(ReplayPage.clock(now.minute))</span>",
                "<span>\(now.why)</span>",
            ]
        }
        let columns = [
            Table.Column("Product"), Table.Column("As the day began", .number), Table.Column("Then", .number),
            Table.Column("Change", .number), Table.Column("Since"), Table.Column("Why"),
        ]
        return Table("Prices at the time", columns, rows: rows).html
    }

    private static func change(_ old: String, _ new: String) -> String {
        old == new ? "" : Words.change(old, new) ?? ""
    }
}
