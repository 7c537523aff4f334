import HTTPTypes
import JSON
import JSONRPC
import Markup

/// Signing in, registering, signing out.
struct SignInPages: Sendable {
    let site: Site

    func add(to routes: inout Routes) {
        routes.get("/sign-in") { .html(page($0, nil)) }
        routes.post("/sign-in") { try await signIn($0) }
        routes.post("/sign-out") { try await signOut($0) }
        routes.get("/register") { .html(registration($0, [:], nil)) }
        routes.post("/register") { try await register($0) }
    }

    // MARK: sign in

    private func page(_ visit: Visit, _ problem: String?) -> HTML {
        let to = visit.form["to"] ?? visit.query["to"] ?? ""
        let fields: [FormField] = [
            .hidden("to", to),
            FormField(
                "email",
                "E-mail",
                .email,
                value: visit.form["email"] ?? "",
                required: true,
                autocomplete: "username"
            ),
            FormField("password", "Password", .password, required: true, autocomplete: "current-password"),
        ]
        let form = Form("/sign-in", fields, submit: "Sign in", problem: problem.map { "\($0)" }).html
        let body: HTML = """
            <div class="card narrow-form"><h1>Sign in</h1>\(form)\
            <p>New here? <a href="\(Link.to("/register", [("to", to)]))">Register</a>.</p></div>
            """
        return Page("Sign in", in: .store, visit: visit, site: site, body: body).html
    }

    private func signIn(_ visit: Visit) async throws -> Answer {
        guard let email = visit.form["email"], let password = visit.form.pairs.first(where: { $0.name == "password" })
        else { return .html(page(visit, "Both are needed."), status: 400) }
        do {
            let login = try await open(email, password.value, visit)
            return signedIn(login, visit, notice: "signed-in")
        } catch let error as RPCError where error.reason == "BAD_CREDENTIALS" || error.reason == "INVALID_PARAMS" {
            return .html(page(visit, "The e-mail address or the password is wrong."), status: 401)
        } catch let error as RPCError where error.reason == "RESOURCE_EXHAUSTED" {
            let seconds = max(1, ((error.retryAfterMs ?? 1000) + 999) / 1000)
            var answer = Answer.html(
                page(visit, "Too many attempts. Try again in \(Words.counted(Int64(seconds), "second"))."),
                status: 429
            )
            answer.headers.append((.retryAfter, String(seconds)))
            return answer
        }
    }

    private func open(_ email: String, _ password: String, _ visit: Visit) async throws -> JSONObject {
        try await site.daemon.call(
            "login.open",
            ["email": .string(email), "password": .string(password), "address": .string(visit.address)]
        )
    }

    private func signedIn(_ login: JSONObject, _ visit: Visit, notice: String) -> Answer {
        let isStaff = login["role"]?.string != "customer"
        let to = Answer.local(visit.form["to"], else: isStaff ? "/" : "/store")
        let path = to + (to.contains("?") ? "&" : "?") + "done=\(notice)"
        return .redirect(path, cookie: SignInCookie.set(login["token"]?.string ?? "", isSecure: site.isSecure))
    }

    private func signOut(_ visit: Visit) async throws -> Answer {
        if visit.token != nil { _ = try? await site.call(visit, "login.close") }
        return .redirect("/store?done=signed-out", cookie: SignInCookie.clear(isSecure: site.isSecure))
    }

    // MARK: register

    private func registration(_ visit: Visit, _ problems: [String: String], _ problem: String?) -> HTML {
        let form = visit.form
        func field(_ name: String, _ label: String, _ kind: FormField.Kind, _ hint: String?, _ fill: String)
            -> FormField
        {
            FormField(
                name,
                label,
                kind,
                value: form[name] ?? "",
                hint: hint,
                required: name != "phoneNumber",
                problem: problems[name],
                autocomplete: fill
            )
        }
        let fields: [FormField] = [
            .hidden("to", form["to"] ?? visit.query["to"] ?? ""),
            field("fullName", "Name", .text, nil, "name"),
            field("email", "E-mail", .email, nil, "username"),
            field("phoneNumber", "Telephone", .text, "With + and the country's number.", "tel"),
            field("password", "Password", .password, "At least 8 characters.", "new-password"),
        ]
        let html = Form("/register", fields, submit: "Register", problem: problem.map { "\($0)" }).html
        let body: HTML = """
            <div class="card narrow-form"><h1>Register</h1>\(html)\
            <p>Registered already? <a href="\(Link.to("/sign-in", [("to", visit.query["to"])]))">Sign in</a>.</p></div>
            """
        return Page("Register", in: .store, visit: visit, site: site, body: body).html
    }

    private func register(_ visit: Visit) async throws -> Answer {
        let form = visit.form
        let password = form.pairs.first { $0.name == "password" }?.value ?? ""
        var params: JSONObject = [
            "fullName": .string(form["fullName"] ?? ""), "email": .string(form["email"] ?? ""),
            "password": .string(password),
        ]
        if let phone = form["phoneNumber"] { params["phoneNumber"] = .string(phone) }
        do {
            _ = try await site.daemon.call("user.create", params)
            let login = try await open(form["email"] ?? "", password, visit)
            return signedIn(login, visit, notice: "registered")
        } catch let error as RPCError {
            switch error.reason {
            case "EMAIL_TAKEN":
                return .html(registration(visit, ["email": "Somebody has registered with it."], nil), status: 409)
            case "PHONE_TAKEN":
                return .html(registration(visit, ["phoneNumber": "Somebody has registered with it."], nil), status: 409)
            case "INVALID_PARAMS": return .html(registration(visit, Typed.problems(error), nil), status: 400)
            default: throw error
            }
        }
    }
}
