import Foundation
import JSON
import Testing

@testable import Postgres
@testable import Pricing
@testable import PricingProtocol

struct EmbeddedScriptTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../sql")

    @Test
    func `The binary carries the folder, byte for byte, and types come before what names them`() throws {
        let walk = try #require(FileManager.default.enumerator(atPath: Self.folder.path))
        let names = walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".sql") }
        #expect(Set(SQLScript.embedded.map(\.name)) == Set(names))
        #expect(SQLScript.embedded.count == names.count)
        for script in SQLScript.embedded {
            let file = try Data(contentsOf: Self.folder.appending(path: script.name))
            #expect(Data(script.text.utf8) == file, "\(script.name)")
        }
        let code = SQLScript.embedded.filter { $0.kind == .code }.map(\.name)
        #expect(code.first == "types.sql" && code.suffix(2) == ["04_create_triggers.sql", "access.sql"])
    }

    @Test
    func `Every PR state that a script raises is a domain error, and means what the registry says`() throws {
        var found: Set<String> = []
        for script in SQLScript.embedded {
            for match in script.text.matches(of: /'(PR[0-9]{3})'/) { found.insert(String(match.1)) }
        }
        #expect(found.count > 10, "the scan found \(found.sorted())")
        for state in found {
            if state == "PR903" { continue }  // a change of what is only added to: no call asks for it
            var error = refusal(state: state)
            if state == "PR602" { error.detail = #"{"violations": [{"path": "/x", "rule": "y", "message": "z"}]}"# }
            let failure = PricingFailure(error)
            guard case .refused(let code, _, _) = failure else {
                Issue.record("\(state) is not mapped: \(failure)")
                continue
            }
            if PricingFailure.protocolStates[state] == nil { #expect("PR\(code.code)" == state) }
        }
    }

    @Test
    func `A refusal carries the facts that the script wrote into DETAIL`() throws {
        var error = refusal(state: "PR201")
        error.detail = #"{"productId": 7, "requested": 2, "available": 1}"#
        guard case .refused(let code, _, let facts) = PricingFailure(error) else {
            Issue.record("PR201 is not mapped")
            return
        }
        #expect(code == .insufficientStock)
        #expect(facts == ["productId": 7, "requested": 2, "available": 1])
    }

    /// Constraints that no call can break, each with the reason; all others must have an answer of their own.
    private static let unreachable: Set<String> = [
        // written by triggers and functions alone, or given by identity columns
        "setting_pkey", "virtual_clock_pkey", "virtual_clock_only_row", "app_user_pkey", "category_pkey",
        "supplier_pkey", "rule_pkey", "product_pkey", "inventory_pkey", "inventory_product_fkey",
        "inventory_pin_complete", "inventory_held_range", "price_positive", "stock_band_known",
        "customer_order_pkey", "order_status_known", "order_line_pkey", "stock_movement_pkey",
        "stock_movement_kind_known", "stock_movement_ends_order", "price_change_pkey", "price_change_rule_fkey",
        "price_change_sequence_key", "price_change_moves", "notice_pkey", "notice_topic_known", "order_change_pkey",
        "order_return_pkey", "audit_repair_pkey", "event_range_p0_pkey", "shelf_pkey", "shelf_product_fkey",
        "shelf_level_known", "event_sequence_pkey", "event_sequence_only_row", "request_key_pkey",
        "request_key_one_reply", "transaction_origin_pkey", "transaction_origin_only_row", "learner_pkey",
        "learner_product_fkey", "learner_folds_ordered", "learner_fold_pkey", "declaration_change_pkey",
        "quote_pkey", "quote_status_known", "quote_closed_with_time", "quote_ordered_by", "quote_lasts_a_day",
        "quote_line_pkey", "quote_line_quote_fkey", "quote_line_product_fkey",
        // checked first by the functions that write them
        "campaign_pkey", "campaign_category_fkey", "campaign_one_scope", "campaign_percent_range",
        "campaign_fixed_by_product", "campaign_times_ordered", "campaign_status_known", "campaign_product_pkey",
        "campaign_product_campaign_fkey", "campaign_product_product_fkey", "campaign_product_price_positive",
        "campaign_name_length", "rule_approve_above_range", "proposal_pkey", "proposal_product_fkey",
        "proposal_rule_fkey", "proposal_status_known", "proposal_moves", "proposal_open_is_undecided",
        "proposal_done_is_over", "proposal_standing_key",
        // written with the code alone
        "strategy_pkey", "strategy_basis_known", "strategy_facts_of_demand",
        // written by the tick alone
        "shop_prior_pkey", "shop_prior_shift_rate_range", "shop_prior_shift_elasticity_range",
        "shop_prior_share_range", "past_season_pkey", "past_season_product_fkey",
        // declared in psql alone
        "setting_event_days_whole", "amount_is_number", "finite_number_is_number", "finite_numbers_are_numbers",
        "demand_weight_range", "percentage_is_number",
        // held by an advisory or a row lock
        "rule_name_version_key", "rule_version_positive", "rule_status_known", "rule_one_active_version",
        // the schema of every method that could refuses first
        "app_user_full_name_length", "app_user_role_known", "category_name_length", "supplier_company_name_length",
        "rule_name_length", "rule_strategy_fkey", "rule_up_share_range", "rule_down_share_range",
        "rule_gap_share_range", "rule_band_tick_range", "rule_least_rise_range", "rule_least_fall_range",
        "rule_daily_cap_range", "rule_minimum_margin_range",
        "rule_price_step_positive", "product_title_length", "product_sku_length", "product_base_price_positive",
        "product_unit_cost_range", "product_floor_positive", "product_ceiling_positive", "product_low_stock_range",
        "sold_quantity_positive", "order_total_positive", "product_elasticity_range",
        "product_ref_rate_range", "product_unit_value_range", "product_decay_range", "rule_cover_days_range",
        "rule_cooldown_seconds_range", "rule_signal_known", "expectation_quantity_positive",
        "expectation_eta_is_finite",
        // kept by the function that writes it
        "expectation_received_not_negative", "expectation_closed_with_reason",
        // looked up first by the functions that write them
        "expectation_pkey", "expectation_product_fkey", "automation_halt_pkey", "automation_halt_category_fkey",
        "automation_halt_product_fkey", "automation_halt_one_scope", "automation_halt_open_index", "breaker_move_pkey",
        "breaker_state_pkey", "breaker_state_only_row", "failing_product_pkey", "tick_state_pkey",
        "tick_state_only_row", "hash_secret_pkey", "hash_secret_only_row",
        // random, or counted under the row's lock
        "login_pkey", "login_user_fkey", "login_token_hash_key", "login_attempt_pkey",
    ]

    @Test
    func `Every constraint that a call can break has an answer of its own`() throws {
        var names: Set<String> = []
        for script in SQLScript.embedded where script.kind == .once {
            let statements = script.text.replacing(/--[^\n]*/, with: "")
            for match in statements.matches(of: /constraint\s+([a-z0-9_]+)/) { names.insert(String(match.1)) }
            for match in statements.matches(of: /create unique index ([a-z0-9_]+)/) { names.insert(String(match.1)) }
        }
        #expect(names.count > 60, "the scan found \(names.count)")
        for name in names.subtracting(Self.unreachable).sorted() {
            #expect(CallerValue.constraints[name] != nil, "\(name) is not mapped")
        }
        #expect(Self.unreachable.subtracting(names).isEmpty, "no longer there")
    }

    private func refusal(state: String) -> PostgresError {
        PostgresError(.server, "refused", sqlState: SQLState(state), statement: "test")
    }
}
