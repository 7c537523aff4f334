import JSON
import Postgres
import PricingProtocol

/// Finds the parameter whose value the database refused: by the constraint that it violated, or by the value that the
/// error quotes. If no parameter of the call fits, the fault is not the caller's.
struct CallerValue {
    /// What a violated constraint means to a caller that gave one of these parameters.
    enum Answer: Sendable {
        case code(ErrorCode, _ members: [String])
        case violation(_ members: [String], _ rule: String, _ message: String)

        var members: [String] {
            switch self {
            case .code(_, let members), .violation(let members, _, _): members
            }
        }
    }

    let params: JSONObject

    /// The refusal that names the parameter; nil when none of this call fits.
    func failure(_ refusal: Refusal) -> PricingFailure? {
        if let constraint = refusal.constraint {
            guard let answer = Self.constraints[constraint] else { return nil }
            guard let member = answer.members.first(where: { params.value(at: $0) != nil }) else { return nil }
            switch answer {
            case .code(let code, _):
                let sku = params["sku"].flatMap { code == .skuTaken ? $0 : nil }
                return .refused(code, message: nil, facts: sku.map { ["sku": $0] } ?? [:])
            case .violation(_, let rule, let message): return Self.violation(member, rule, message)
            }
        }
        guard SQLState.classDataException ~= refusal.state else { return nil }
        // The server quotes the text that it could not read.
        let quoted = params.texts.first { !$0.text.isEmpty && refusal.message.contains("\"\($0.text)\"") }
        return quoted.map { Self.violation($0.path, "value", "the database cannot read it") }
    }

    private static func violation(_ path: String, _ rule: String, _ message: String) -> PricingFailure {
        let violation = Violation(path: path, rule: rule, message: message)
        return .refused(.invalidParams, message: "\(path): \(message).", facts: ["violations": [violation.json]])
    }

    /// Constraints that a parameter can violate, each with the parameters that can do so, the most likely first. The
    /// violation of any other constraint is a fault of ours.
    static let constraints: [String: Answer] = [
        "app_user_email_key": .code(.emailTaken, ["/email"]),
        "app_user_phone_number_key": .code(.phoneTaken, ["/phoneNumber"]),
        // The trigger finds it taken and names the other product, unless that one was made at the same moment.
        "product_sku_key": .code(.skuTaken, ["/sku"]),
        "product_category_fkey": .code(.categoryNotFound, ["/categoryId"]),
        "product_supplier_fkey": .code(.supplierNotFound, ["/supplierId"]),
        "product_rule_fkey": .code(.ruleNotFound, ["/ruleId"]),
        "category_name_key": .violation(["/name"], "unique", "there is a category of this name"),
        "category_name_fold_key": .violation(["/name"], "unique", "there is a category of this name"),
        "supplier_tax_number_key": .violation(["/taxNumber"], "unique", "there is a supplier with this number"),
        "supplier_tax_number_fold_key": .violation(["/taxNumber"], "unique", "there is a supplier with this number"),
        "finite_time_has_four_digits": .violation(
            ["/seasonEnd", "/seasonStart", "/eta", "/endsAt", "/startsAt", "/at"],
            "range",
            "must lie in the years 0001 to 9999"
        ),
        "app_user_email_shape": .violation(["/email"], "format", "must look like name@host"),
        "app_user_phone_shape": .violation(["/phoneNumber"], "format", "must be a telephone number"),
        "product_limits_ordered": .violation(
            ["/ceiling", "/floor", "/basePrice"],
            "order",
            "floor must not exceed ceiling"
        ),
        "product_levels_ordered": .violation(
            ["/highStock", "/lowStock"],
            "order",
            "highStock must exceed lowStock by 3 or more"
        ),
        "product_season_ordered": .violation(
            ["/seasonEnd", "/seasonStart"],
            "order",
            "seasonEnd must come with, and after, seasonStart"
        ),
        "product_season_profile_shape": .violation(
            ["/seasonProfile", "/seasonEnd"],
            "season",
            "a profile needs a seasonEnd and at least one weight above zero"
        ),
        "rule_tick_seconds_range": .violation(["/parameters/tickSeconds"], "choice", "must be 3600, 21600 or 86400"),
        "rule_band_stock_range": .violation(
            ["/parameters/bandStock", "/parameters/bandTick"],
            "order",
            "bandStock must be at least bandTick, at most 1"
        ),
        "rule_price_offset_range": .violation(
            ["/parameters/priceOffset", "/parameters/priceStep"],
            "order",
            "priceOffset must be below priceStep"
        ),
        "stock_movement_quantity_not_zero": .violation(["/quantity"], "not zero", "must not be zero"),
    ]
}

extension JSONObject {
    /// The value at a JSON Pointer of plain names.
    fileprivate func value(at pointer: String) -> JSONValue? {
        pointer.split(separator: "/").reduce(JSONValue.object(self)) { value, name in value?[String(name)] }
    }

    /// Every text in it, with the JSON Pointer to it.
    fileprivate var texts: [(path: String, text: String)] {
        JSONValue.object(self).texts(at: "")
    }
}

extension JSONValue {
    fileprivate func texts(at path: String) -> [(path: String, text: String)] {
        switch self {
        case .string(let text): [(path, text)]
        case .array(let elements): elements.enumerated().flatMap { $1.texts(at: "\(path)/\($0)") }
        case .object(let object): object.flatMap { $0.value.texts(at: "\(path)/\($0.key)") }
        default: []
        }
    }
}
