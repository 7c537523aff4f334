import JSON
import JSONRPC

/// What a write would do, before it is done: shown when it is only tried, asked when it is much or for good.
enum Preflight {
    /// To be called with these parameters.
    case agreed(JSONObject)
    case refused(CallFailure)
    /// It was only tried, or the operator said no.
    case ended(Shell.Next)
}

extension Shell {
    /// More products than these are not moved without a yes.
    private static let productsUnasked = 10

    /// - Parameters:
    ///   - titles: of the products that were named.
    ///   - isAttempt: show the effect, and no more.
    ///   - isGrave: ask, whatever it would do.
    func preflight(
        _ method: String,
        _ parameters: JSONObject,
        titles: [Int64: String] = [:],
        isAttempt: Bool,
        isGrave: Bool
    ) async -> Preflight {
        var trial = parameters
        trial["_meta"] = .object(with(["dryRun": true], in: parameters))
        let asking = trial
        let reading = await interrupts.cancelling { [session] in await session.carried(method, asking) }
        switch reading {
        case .failure(let failure): return .refused(failure)
        case .success(let result):
            let effect = EffectView(result["_meta"]?.object ?? [:], titles: titles)
            if isAttempt {
                guard format == .table else { return .ended(showPlain(result, method)) }
                return .ended(shown(effect.text(width: console.width, palette: deeds.palette)))
            }
            let isDestructive = session.catalogue[method]?.effect == "destructive"
            guard isGrave || isDestructive || effect.products > Self.productsUnasked, !deeds.saysYes else {
                return .agreed(parameters)
            }
            if let refusal = await agree(effect, isForGood: isDestructive) { return .ended(refusal) }
            var agreed = parameters
            if let digest = effect.digest {
                agreed["_meta"] = .object(with(["expect": .string(digest)], in: parameters))
            }
            // A rollback goes by what was seen.
            if let seen = result["seen"] { agreed["seen"] = seen }
            return .agreed(agreed)
        }
    }

    /// A wire call as it was typed: `COMMAND ?`.
    func attempt(_ method: String, _ parameters: JSONObject) async -> Next {
        lastCall = (method, parameters)
        guard session.catalogue[method]?.isWrite != false else {
            return refuse("\(method) changes nothing: there is nothing to try")
        }
        switch await preflight(method, parameters, isAttempt: true, isGrave: false) {
        case .ended(let next): return next
        case .refused(let failure): return report(failure)
        case .agreed: return .goOn
        }
    }

    /// Whether a write of the wire is looked at before it is made: at the prompt, where the operator has said nothing of it
    /// and may still say no.
    func isLookedAt(_ method: String, _ parameters: JSONObject) -> Bool {
        guard isInteractive, let known = session.catalogue[method] else { return false }
        return known.isWrite && !known.takesSecrets && parameters["_meta"] == nil && !deeds.saysYes
    }

    /// Whether a command changes the shop.
    func isWrite(_ text: String) -> Bool {
        switch try? CommandLanguage(catalogue: session.catalogue, times: deeds.times).parse(text) {
        case .call(let method, _): session.catalogue[method]?.isWrite == true
        case .deed(let deed): !deed.isAttempt && deed.method.flatMap { session.catalogue[$0] }?.isWrite == true
        default: false
        }
    }

    /// Shows the effect and asks; nil for yes.
    private func agree(_ effect: EffectView, isForGood: Bool) async -> Next? {
        console.warn(effect.text(width: console.width, palette: deeds.palette))
        if isForGood { console.complain(deeds.palette.warning("it cannot be taken back")) }
        guard let ask = deeds.ask else { return refuse("this needs a yes: --yes gives it") }
        while let answer = await ask("do it?  yes / no / details  ") {
            switch answer.split(whereSeparator: \.isWhitespace).first?.lowercased() {
            case "y", "yes": return nil
            case "d", "details":
                console.warn(effect.text(width: console.width, palette: deeds.palette, isWhole: true))
            case "n", "no":
                console.complain("nothing was changed")
                return .goOn
            default: break
            }
        }
        console.complain("nothing was changed")
        return .goOn
    }

    private func with(_ members: JSONObject, in parameters: JSONObject) -> JSONObject {
        var meta = parameters["_meta"]?.object ?? [:]
        for (key, value) in members { meta[key] = value }
        return meta
    }
}

/// Where in a command something is wrong.
extension Shell {
    func mark(_ place: Range<Int>) {
        console.complain(Caret.text(deeds.statement, at: place, width: console.width, palette: deeds.palette))
    }

    /// Each parameter that the server refused, marked, with what would be allowed.
    func markRefused(_ error: RPCError) {
        let places = CommandLanguage(catalogue: session.catalogue, times: deeds.times).places(in: deeds.statement)
        let violations = (error.data["violations"]?.array ?? []).compactMap(\.object)
        let isMissing = violations.contains { violation in
            violation["rule"]?.string == "required"
                && ViolationText.place(of: violation["path"]?.string ?? "", in: places) == nil
        }
        // What is missing is wanted at the end.
        if isMissing { mark(.max..<(.max)) }
        for violation in violations {
            let path = violation["path"]?.string ?? ""
            guard let place = ViolationText.place(of: path, in: places) else { continue }
            mark(place)
            let steps = path.split(separator: "/").map(String.init)
            let schema = lastCall.flatMap { session.catalogue.schema(method: $0.method, path: steps) }
            if let advice = ViolationText.advice(violation, schema: schema) {
                console.complain(DisplayText.wrapped("  " + advice, to: console.width))
            }
        }
        guard violations.isEmpty, let (method, parameters) = lastCall else { return }
        if error.reason == "METHOD_NOT_FOUND",
            let word = Tokenizer.tokens(deeds.statement).first(where: { $0.text == method })
        {
            mark(word.range)
        }
        for path in ViolationText.paths(of: error, in: parameters) {
            if let place = ViolationText.place(of: path, in: places) { mark(place) }
        }
    }
}
