/// Parts of a whole as a ring with a legend.
package struct Shares: Sendable {
    /// One part.
    package struct Part: Sendable {
        let name: String
        let value: Double
        let figure: String

        package init(_ name: String, _ value: Double, _ figure: String) {
            self.name = name
            self.value = value
            self.figure = figure
        }
    }

    let caption: String
    let parts: [Part]

    /// Beyond the eighth, as many as there are colours, the parts are shown as one.
    package init(_ caption: String, _ parts: [Part]) {
        self.caption = caption
        guard parts.count > 8 else {
            self.parts = parts
            return
        }
        let rest = parts[7...].reduce(0) { $0 + max(0, $1.value) }
        let figure = Decimals.grouped(Decimals.fixed(rest, 2))
        self.parts = parts[..<7] + [Part("\(parts.count - 7) others", rest, figure)]
    }

    package var html: HTML {
        let whole = parts.reduce(0) { $0 + max(0, $1.value) }
        guard whole > 0 else { return "<p class=\"empty\">Nothing yet.</p>" }
        let around = 2 * Double.pi * 40
        var begun = 0.0
        let arcs = parts.enumerated().map { index, part -> HTML in
            let length = max(0, part.value) / whole * around
            defer { begun += length }
            return """
                <circle class="share s\(index % 8)" cx="50" cy="50" r="40" stroke-dasharray="\(length) \(around - length)" \
                stroke-dashoffset="\(-begun)"><title>\(part.name): \(part.figure)</title></circle>
                """
        }
        let legend = parts.enumerated().map { index, part -> HTML in
            let percent = Decimals.fixed(max(0, part.value) / whole * 100, 0)
            return """
                <tr><th scope="row"><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="k\(index % 8)" \
                width="10" height="10" rx="2"/></svg>\(part.name)</th><td class="n">\(part.figure)</td>\
                <td class="n">\(percent) %</td></tr>
                """
        }
        return """
            <div class="shares"><svg viewBox="0 0 100 100" role="img" aria-label="\(caption)">\(arcs)</svg>\
            <table><caption class="sr">\(caption)</caption><tbody>\(legend)</tbody></table></div>
            """
    }
}
