/// A table that becomes a list of cards on a narrow screen: each cell knows its column's name.
package struct Table: Sendable {
    /// One column.
    package struct Column: Sendable {
        package enum Kind: Sendable {
            case text
            /// Right-aligned figures of one width.
            case number
            /// What can be done with the row.
            case actions
        }

        let title: String
        let kind: Kind
        /// Where a click on the title leads: the same list in this column's order.
        let sortLink: String?
        /// `ascending` or `descending` when the list is in this column's order.
        let sorted: String?

        package init(_ title: String, _ kind: Kind = .text, sortLink: String? = nil, sorted: String? = nil) {
            self.title = title
            self.kind = kind
            self.sortLink = sortLink
            self.sorted = sorted
        }

        fileprivate var cssClass: String? {
            switch kind {
            case .text: nil
            case .number: "n"
            case .actions: "act"
            }
        }

        fileprivate var header: HTML {
            let title: HTML =
                if let sortLink { "<a href=\"\(sortLink)\">\(title)</a>" } else if kind == .actions {
                    "<span class=\"sr\">\(self.title)</span>"
                } else { "\(self.title)" }
            return
                "<th scope=\"col\"\(HTML.attribute("class", cssClass))\(HTML.attribute("aria-sort", sorted))>\(title)</th>"
        }
    }

    let caption: String
    let columns: [Column]
    let rows: [[HTML]]
    /// What stands in place of rows when there are none.
    let empty: HTML

    package init(_ caption: String, _ columns: [Column], empty: HTML = "Nothing here.", rows: [[HTML]]) {
        self.caption = caption
        self.columns = columns
        self.rows = rows
        self.empty = empty
    }

    package var html: HTML {
        guard !rows.isEmpty else { return "<p class=\"empty\">\(empty)</p>" }
        return """
            <div class="scroll"><table class="list"><caption class="sr">\(caption)</caption>
            <thead><tr>\(columns.map(\.header))</tr></thead>
            <tbody>\(rows.map(row))</tbody></table></div>
            """
    }

    private func row(_ cells: [HTML]) -> HTML {
        "<tr>\(zip(columns, cells).map(cell))</tr>\n"
    }

    private func cell(_ column: Column, _ content: HTML) -> HTML {
        let label = column.kind == .actions ? nil : column.title
        return "<td\(HTML.attribute("class", column.cssClass))\(HTML.attribute("data-label", label))>\(content)</td>"
    }
}
