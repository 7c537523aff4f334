import JSON
import JSONRPC
import Markup
import PricingProtocol

/// A person's own account: their data, their password, where they are signed in.
struct AccountPages: Sendable {
    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/store/account") { try await page($0, [:], 200) }
        routes.post("/store/account") { try await update($0) }
        routes.post("/store/account/password") { try await password($0) }
        routes.post("/store/account/logins") { try await close($0) }
    }

    private func page(_ visit: Visit, _ problems: [String: String], _ status: Int) async throws -> Answer {
        guard let person = visit.person else { return .redirect("/sign-in?to=/store/account") }
        let subject: JSONObject = ["userId": .integer(person.userId)]
        let user = JSONValue.object(try await site.call(visit, "user.get", subject))
        let logins = try await site.call(visit, "login.list", subject)["items"]?.array ?? []
        func typed(_ name: String) -> String { visit.form[name] ?? user[name]?.string ?? "" }
        let data = Form(
            "/store/account",
            [
                FormField(
                    "fullName",
                    "Name",
                    value: typed("fullName"),
                    required: true,
                    problem: problems["fullName"],
                    autocomplete: "name"
                ),
                FormField(
                    "email",
                    "E-mail",
                    .email,
                    value: typed("email"),
                    required: true,
                    problem: problems["email"],
                    autocomplete: "email"
                ),
                FormField(
                    "phoneNumber",
                    "Telephone",
                    value: typed("phoneNumber"),
                    problem: problems["phoneNumber"],
                    autocomplete: "tel"
                ),
            ],
            submit: "Change"
        ).html
        let body: HTML = """
            <h1>Your account</h1><div class="checkout"><div class="card"><h2>You</h2>\(data)</div>\
            <div class="card"><h2>Password</h2>\(passwordForm(problems))</div></div>\
            <h2>Where you are signed in</h2><div class="card">\(table(logins))</div>
            """
        return .html(Page("Your account", in: .store, visit: visit, site: site, body: body).html, status: status)
    }

    private func passwordForm(_ problems: [String: String]) -> HTML {
        Form(
            "/store/account/password",
            [
                FormField(
                    "old",
                    "Password until now",
                    .password,
                    required: true,
                    problem: problems["old"],
                    autocomplete: "current-password"
                ),
                FormField(
                    "new",
                    "New password",
                    .password,
                    hint: "At least 8 characters.",
                    required: true,
                    problem: problems["new"],
                    autocomplete: "new-password"
                ),
            ],
            submit: "Change the password"
        ).html
    }

    private func table(_ logins: [JSONValue]) -> HTML {
        Table(
            "Where you are signed in",
            [
                Table.Column("From"), Table.Column("Since (UTC)"), Table.Column("Ends (UTC)"),
                Table.Column("End it", .actions),
            ],
            rows: logins.map { login in
                let isCurrent = login["current"]?.bool ?? false
                let end: HTML = """
                    <form action="/store/account/logins" method="post"><input type="hidden" name="loginId" \
                    value="\(login["loginId"]?.integer ?? 0)"><button class="plain" type="submit">End</button></form>
                    """
                return [
                    "\(login["address"]?.string ?? "–")", Words.time(login["createdAt"]?.string),
                    Words.time(login["expiresAt"]?.string), isCurrent ? "this one" : end,
                ]
            }
        ).html
    }

    private func update(_ visit: Visit) async throws -> Answer {
        guard let person = visit.person else { return .redirect("/sign-in?to=/store/account") }
        let form = visit.form
        let params: JSONObject = [
            "userId": .integer(person.userId), "fullName": .string(form["fullName"] ?? ""),
            "email": .string(form["email"] ?? ""), "phoneNumber": form["phoneNumber"].map { .string($0) } ?? .null,
        ]
        do {
            _ = try await site.call(visit, "user.update", params)
            return .redirect("/store/account?done=account")
        } catch let error as RPCError {
            switch error.reason {
            case "EMAIL_TAKEN": return try await page(visit, ["email": "Somebody else has it."], 409)
            case "PHONE_TAKEN": return try await page(visit, ["phoneNumber": "Somebody else has it."], 409)
            case "INVALID_PARAMS": return try await page(visit, Typed.problems(error), 400)
            default: throw error
            }
        }
    }

    private func password(_ visit: Visit) async throws -> Answer {
        guard let person = visit.person else { return .redirect("/sign-in?to=/store/account") }
        func typed(_ name: String) -> JSONValue { .string(visit.form.pairs.first { $0.name == name }?.value ?? "") }
        do {
            _ = try await site.call(
                visit,
                "user.changePassword",
                ["userId": .integer(person.userId), "old": typed("old"), "new": typed("new")]
            )
            // A changed password ends every login, this one too.
            return .redirect(
                "/sign-in?done=password&to=/store/account",
                cookie: SignInCookie.clear(isSecure: site.isSecure)
            )
        } catch let error as RPCError where error.reason == "BAD_CREDENTIALS" {
            return try await page(visit, ["old": "This is not your password."], 401)
        } catch let error as RPCError where error.reason == "INVALID_PARAMS" {
            return try await page(visit, Typed.problems(error), 400)
        }
    }

    private func close(_ visit: Visit) async throws -> Answer {
        guard visit.person != nil, let id = visit.form["loginId"].flatMap({ Int64($0) }) else {
            return .redirect("/store/account")
        }
        _ = try await site.call(visit, "login.close", ["loginId": .integer(id)])
        return .redirect("/store/account")
    }
}
