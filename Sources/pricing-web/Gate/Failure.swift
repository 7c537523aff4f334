import HTTPTypes
import JSON
import JSONRPC
import Markup
import PricingProtocol

/// Every failure as an answer: a page for people, the protocol's error object for programs.
enum Failure {
    static func answer(_ error: any Error, _ form: Gate.Form, _ visit: Visit?, _ site: Site) -> Answer {
        let told = rpcError(error)
        var status = (error as? Refusal)?.status ?? HTTPStatus.of(told.reason)
        let isStranger = status == 403 || told.reason == "LOGIN_EXPIRED"
        if form == .page, let visit, isStranger, visit.person == nil, error is RPCError, visit.method == "GET" {
            return .redirect(Link.to("/sign-in", [("to", Link.to(visit.rawPath, visit.query.pairs))]))
        }
        if status == 499 { status = 503 }
        var answer: Answer
        switch form {
        case .json: answer = .json(told.json, status: status)
        case .page:
            answer = .html(ErrorPage(status: status, error: told, visit: visit, site: site).html, status: status)
        }
        answer.headers += (error as? Refusal)?.headers ?? []
        if let wait = told.retryAfterMs, status == 429 || status == 503 {
            answer.headers.append((.retryAfter, String(max(1, (wait + 999) / 1000))))
        }
        return answer
    }

    static func rpcError(_ error: any Error) -> RPCError {
        if let error = error as? RPCError { return error }
        guard let refusal = error as? Refusal else {
            return RPCError.internalError(incidentID: "")
        }
        let code: ErrorCode =
            switch refusal.status {
            case 401, 403: .permissionDenied
            case 404: .methodNotFound
            case 413: .messageTooLarge
            case 429: .resourceExhausted
            case 503: .shuttingDown
            default: .invalidRequest
            }
        return code.error(refusal.sentence)
    }
}

/// The page of an error: what happened and what to do about it.
struct ErrorPage {
    let status: Int
    let error: RPCError
    let visit: Visit?
    let site: Site

    var html: HTML {
        // What to do about a thing that is not there is said for programs, and names methods.
        let remedy = status == 404 ? nil : ErrorCode.all.first { $0.reason == error.reason }?.remedy
        let isAdmin = visit?.person?.isStaff ?? false
        let facts: HTML =
            isAdmin
            ? "<p class=\"quiet\">\(error.reason)\(error.data["incidentId"]?.string.map { " · incident \($0)" } ?? "")</p>"
            : ""
        // The banner says the rest, and the page comes by itself when the daemon is back.
        let isAway = status == 503 && site.daemon.awaySince != nil
        let said: HTML = isAway && !isAdmin ? "<p>Please come back in a moment.</p>" : "<p>\(error.message)</p>"
        let body: HTML = """
            <div class="message"\(HTML.flag("data-comes-back", isAway))><h1>\(title)</h1>\(said)\
            \(HTML.when(isAdmin && remedy != nil, "<p>\(remedy ?? "")</p>"))\(facts)\
            <p><a class="button" href="\(isAdmin ? "/" : "/store")">\(isAdmin ? "To the dashboard" : "To the store")</a></p></div>
            """
        return Page(title, in: isAdmin ? .admin("") : .store, visit: visit, site: site, body: body).html
    }

    private var title: String {
        switch status {
        case 403: "This is not allowed"
        case 404: "There is nothing here"
        case 405: "That cannot be done here"
        case 409: "Something changed meanwhile"
        case 410: "This is over"
        case 413: "That is too long"
        case 421: "This host is not served here"
        case 429: "Too much at once"
        case 503: "The shop is not answering"
        case 504: "This took too long"
        case 500...: "Something went wrong"
        default: "This did not work"
        }
    }
}
