import JSON
import JSONRPC
import PricingProtocol
import RPCTransport

/// Checks the parameters of calls.
enum CallCheck {
    /// The call with checked parameters; the error names all violations.
    static func validated(_ call: RPCCall, _ method: Method, _ caller: Caller) throws(RPCError) -> CallContext {
        var validator = SchemaValidator()
        var meta = CallMeta()
        if let value = call.params[CallMeta.member] {
            validator.check(value, .object(CallMeta.shape), at: "/\(CallMeta.member)")
            if let object = value.object, validator.violations.isEmpty { meta = CallMeta(object) }
        }
        let given = try caller.completed(call.params.removing(CallMeta.member), of: method)
        let params = withoutNulls(given, method)
        validator.check(params, method.parameters)
        guard validator.violations.isEmpty else {
            throw .invalidParams(
                validator.violations.first.map { "\($0.path.isEmpty ? "params" : $0.path): \($0.message)." } ?? "",
                violations: validator.violations.map { $0.withoutSecrets.json }
            )
        }
        return CallContext(
            call: call,
            method: method,
            meta: try caller.meta(meta),
            params: trimmed(params, method),
            caller: caller
        )
    }

    /// Removes blanks and invisible characters around the parameters that are names.
    private static func trimmed(_ params: JSONObject, _ method: Method) -> JSONObject {
        var params = params
        for name in method.names {
            if case .string(let text)? = params[name] { params[name] = .string(text.trimmedName) }
        }
        return params
    }

    /// Removes optional texts and times that are null, which means the same as not given; other types define null
    /// themselves.
    private static func withoutNulls(_ params: JSONObject, _ method: Method) -> JSONObject {
        guard params.contains(where: { $0.value.isNull }) else { return params }
        var params = params
        for field in method.parameters.fields where !field.isRequired && params[field.name] == .null {
            switch field.schema {
            case .text, .name, .bytes, .time, .choice: params[field.name] = nil
            default: break
            }
        }
        return params
    }
}

extension Violation {
    /// The same without what was got, where that is secret.
    fileprivate var withoutSecrets: Violation {
        guard path.split(separator: "/").contains(where: { AllMethods.secrets.contains(String($0)) }) else {
            return self
        }
        return Violation(path: path, rule: rule, message: message, expected: expected)
    }
}

extension RPCCall {
    /// The token of the login that it carries; nil for none, and for what no token can be, which its check refuses.
    var login: String? {
        guard let login = params[CallMeta.member]?["login"]?.string, (1...200).contains(login.utf8.count),
            !login.utf8.contains(0)
        else { return nil }
        return login
    }
}
