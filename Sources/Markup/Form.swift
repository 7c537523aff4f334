/// One field of a form, with its label, hint, and what was wrong with what was typed.
package struct FormField: Sendable {
    package enum Kind: Sendable {
        case text
        case email
        case password
        case search
        case integer
        case decimal
        /// Several lines.
        case area
        case check
        case choice([Choice])
        case hidden
    }

    /// One of a menu's.
    package struct Choice: Sendable {
        package let value: String
        package let label: String

        package init(_ value: String, _ label: String) {
            self.value = value
            self.label = label
        }
    }

    package let name: String
    package let label: String
    package var kind: Kind
    package var value: String
    package var hint: String?
    package var isRequired: Bool
    package var problem: String?
    /// What browsers and password managers fill in.
    package var autocomplete: String?
    package var longest: Int?
    /// What tells it from a field of the same name in another form of the page.
    package var scope = ""

    package init(
        _ name: String,
        _ label: String,
        _ kind: Kind = .text,
        value: String = "",
        hint: String? = nil,
        required: Bool = false,
        problem: String? = nil,
        autocomplete: String? = nil,
        longest: Int? = nil
    ) {
        self.name = name
        self.label = label
        self.kind = kind
        self.value = value
        self.hint = hint
        isRequired = required
        self.problem = problem
        self.autocomplete = autocomplete
        self.longest = longest
    }

    /// A hidden field.
    package static func hidden(_ name: String, _ value: String) -> FormField {
        FormField(name, "", .hidden, value: value)
    }

    package var html: HTML {
        if case .hidden = kind { return "<input type=\"hidden\" name=\"\(name)\" value=\"\(value)\">" }
        let hintId = hint == nil ? nil : "\(id)-hint"
        let problemId = problem == nil ? nil : "\(id)-problem"
        let described = [hintId, problemId].compactMap(\.self).joined(separator: " ")
        let more: HTML = """
            \(HTML.attribute("aria-describedby", described.isEmpty ? nil : described))\
            \(HTML.attribute("aria-invalid", problem == nil ? nil : "true"))\(HTML.flag("required", isRequired))\
            \(HTML.attribute("autocomplete", autocomplete))\(HTML.attribute("maxlength", longest.map(String.init)))
            """
        let hint = hint.map { "<span class=\"hint\" id=\"\(hintId ?? "")\">\($0)</span>" as HTML }
        let problem = problem.map { "<span class=\"problem\" id=\"\(problemId ?? "")\">\($0)</span>" as HTML }
        if case .check = kind {
            return """
                <div class="field check"><input type="checkbox" id="\(id)" name="\(name)" value="true"\
                \(HTML.flag("checked", value == "true"))\(more)><label for="\(id)">\(label)</label>\(hint)\(problem)</div>
                """
        }
        return """
            <div class="field"><label for="\(id)">\(label)\
            \(HTML.when(!isRequired && isTyped, "<span class=\"optional\"> (optional)</span>"))</label>\
            \(control(more))\(hint)\(problem)</div>
            """
    }

    private var id: String { "f-\(scope)\(name)" }

    private var isTyped: Bool {
        if case .search = kind { false } else { true }
    }

    private func control(_ more: HTML) -> HTML {
        switch kind {
        case .area: return "<textarea id=\"\(id)\" name=\"\(name)\" rows=\"4\"\(more)>\(value)</textarea>"
        case .choice(let choices):
            let options = choices.map { choice -> HTML in
                "<option value=\"\(choice.value)\"\(HTML.flag("selected", choice.value == value))>\(choice.label)</option>"
            }
            return "<select id=\"\(id)\" name=\"\(name)\"\(more)>\(options)</select>"
        case .email: return input("email", nil, more)
        case .password: return input("password", nil, more, keepsValue: false)
        case .search: return input("search", nil, more)
        case .integer: return input("text", "numeric", more)
        case .decimal: return input("text", "decimal", more)
        case .text, .check, .hidden: return input("text", nil, more)
        }
    }

    private func input(_ type: String, _ mode: String?, _ more: HTML, keepsValue: Bool = true) -> HTML {
        """
        <input type="\(type)" id="\(id)" name="\(name)"\(HTML.attribute("inputmode", mode))\
        \(HTML.attribute("value", keepsValue && !value.isEmpty ? value : nil))\(more)>
        """
    }
}

/// A form that works without JavaScript.
package struct Form: Sendable {
    let action: String
    let method: String
    let fields: [FormField]
    let submit: String
    /// Whether its button is one among others, not what the page is for.
    let isQuiet: Bool
    let cssClass: String?
    /// Where a page that is being filled in says so, so that what it holds is held on.
    let extends: String?
    /// What is wrong with the whole, above the fields.
    let problem: HTML?
    /// Further buttons or links beside the first one.
    let beside: HTML

    package init(
        _ action: String,
        method: String = "post",
        cssClass: String? = nil,
        extends: String? = nil,
        _ fields: [FormField],
        submit: String,
        isQuiet: Bool = false,
        problem: HTML? = nil,
        beside: HTML = HTML()
    ) {
        self.action = action
        self.method = method
        self.fields = fields
        self.submit = submit
        self.isQuiet = isQuiet
        self.cssClass = cssClass
        self.extends = extends
        self.problem = problem
        self.beside = beside
    }

    package var html: HTML {
        """
        <form action="\(action)" method="\(method)"\(HTML.attribute("class", cssClass))\(HTML.attribute("data-extend", extends))>\
        \(problem.map { "<div class=\"alert\" role=\"alert\">\($0)</div>" as HTML })\
        \(fields.map(\.html))<div class="buttons"><button\(HTML.attribute("class", isQuiet ? "second" : nil)) type="submit">\(submit)</button>\(beside)</div></form>
        """
    }
}
