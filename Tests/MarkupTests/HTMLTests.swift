import Markup
import Testing

/// What a page is made of, as text.
struct HTMLTests {
    @Test
    func `A value is text wherever it stands, a literal is HTML`() {
        let name = "<b onclick='a'>&\"\u{1}"
        let html: HTML = "<p title=\"\(name)\">\(name)</p>"
        let escaped = "&lt;b onclick=&#39;a&#39;&gt;&amp;&quot;\u{FFFD}"
        #expect(html.text == "<p title=\"\(escaped)\">\(escaped)</p>")
    }

    @Test
    func `HTML in HTML stands as it is, lists and nothing too`() {
        let parts: [HTML] = ["<i>a</i>", "\("<")"]
        let none: HTML? = nil
        #expect(("<p>\(parts)\(none)\(HTML.when(false, "no"))</p>" as HTML).text == "<p><i>a</i>&lt;</p>")
    }

    @Test
    func `An attribute without a value is left out`() {
        #expect(HTML.attribute("title", nil).text == "" && HTML.attribute("title", "\"").text == " title=\"&quot;\"")
        #expect(HTML.flag("checked", true).text == " checked" && HTML.flag("checked", false).text == "")
    }

    @Test
    func `A table's cells know their columns, and an empty one says so`() {
        let columns = [
            Table.Column("Title"), Table.Column("Price", .number, sortLink: "/a?sort=price", sorted: "ascending"),
        ]
        let table = Table("Products", columns, empty: "No product.", rows: [["<a href=\"/1\">Mug</a>", "\("12.50")"]])
        #expect(table.html.text.contains("<td data-label=\"Title\"><a href=\"/1\">Mug</a></td>"))
        #expect(table.html.text.contains("<td class=\"n\" data-label=\"Price\">12.50</td>"))
        #expect(table.html.text.contains("aria-sort=\"ascending\"><a href=\"/a?sort=price\">Price</a>"))
        #expect(
            Table("Products", columns, empty: "No product.", rows: []).html.text == "<p class=\"empty\">No product.</p>"
        )
    }

    @Test
    func `A field that was wrong says so beside it, and a password is never given back`() {
        let field = FormField("quantity", "Units", .integer, value: "0", required: true, problem: "at least 1")
        #expect(field.html.text.contains("aria-describedby=\"f-quantity-problem\" aria-invalid=\"true\" required"))
        #expect(field.html.text.contains("id=\"f-quantity-problem\">at least 1</span>"))
        #expect(field.html.text.contains("value=\"0\""))
        #expect(!FormField("old", "Old", .password, value: "secret").html.text.contains("secret"))
        #expect(FormField("until", "Until").html.text.contains("(optional)"))
    }

    @Test
    func `A menu knows its choice, a check its state`() {
        let menu = FormField("sort", "Sort", .choice([.init("a", "A"), .init("b", "B")]), value: "b")
        #expect(menu.html.text.contains("<option value=\"a\">A</option><option value=\"b\" selected>B</option>"))
        #expect(FormField("active", "For sale", .check, value: "true").html.text.contains(" checked"))
    }

    @Test
    func `A link's query is escaped once for a path and once for HTML`() {
        let link = Link.to("/products", [("search", "a&b=c d/é"), ("cursor", nil)])
        #expect(link == "/products?search=a%26b%3Dc%20d%2F%C3%A9")
        #expect(
            Link.pairs("search=a%26b%3Dc+d%2F%C3%A9&x&y=%zz").map { "\($0.name):\($0.value)" }
                == ["search:a&b=c d/é", "x:", "y:%zz"]
        )
        #expect(
            ("<a href=\"\(Link.to("/a", [("b", "1"), ("c", "2")]))\">" as HTML).text == "<a href=\"/a?b=1&amp;c=2\">"
        )
    }
}
