#include "CPricingSQL.h"

// A test compares this list with the folder, byte for byte.
static const unsigned char script_01_create_tables[] = {
#embed "../../sql/01_create_tables.sql"
};
static const unsigned char script_02_insert_dummy_data[] = {
#embed "../../sql/02_insert_dummy_data.sql"
};
static const unsigned char script_03_sample_queries[] = {
#embed "../../sql/03_sample_queries.sql"
};
static const unsigned char script_04_create_triggers[] = {
#embed "../../sql/04_create_triggers.sql"
};
static const unsigned char script_05_user_unique_constraints[] = {
#embed "../../sql/05_user_unique_constraints.sql"
};
static const unsigned char script_06_call[] = {
#embed "../../sql/06_call.sql"
};
static const unsigned char script_07_catalogue[] = {
#embed "../../sql/07_catalogue.sql"
};
static const unsigned char script_08_inventory[] = {
#embed "../../sql/08_inventory.sql"
};
static const unsigned char script_09_prices[] = {
#embed "../../sql/09_prices.sql"
};
static const unsigned char script_10_orders[] = {
#embed "../../sql/10_orders.sql"
};
static const unsigned char script_11_rules[] = {
#embed "../../sql/11_rules.sql"
};
static const unsigned char script_12_users[] = {
#embed "../../sql/12_users.sql"
};
static const unsigned char script_13_clock[] = {
#embed "../../sql/13_clock.sql"
};
static const unsigned char script_14_events[] = {
#embed "../../sql/14_events.sql"
};
static const unsigned char script_15_dashboard[] = {
#embed "../../sql/15_dashboard.sql"
};
static const unsigned char script_16_generate[] = {
#embed "../../sql/16_generate.sql"
};
static const unsigned char script_17_complete[] = {
#embed "../../sql/17_complete.sql"
};
static const unsigned char script_18_import[] = {
#embed "../../sql/18_import.sql"
};
static const unsigned char script_19_grants[] = {
#embed "../../sql/19_grants.sql"
};
static const unsigned char script_21_strategies[] = {
#embed "../../sql/21_strategies.sql"
};
static const unsigned char script_22_learner[] = {
#embed "../../sql/22_learner.sql"
};
static const unsigned char script_24_evaluate_price[] = {
#embed "../../sql/24_evaluate_price.sql"
};
static const unsigned char script_25_automation[] = {
#embed "../../sql/25_automation.sql"
};
static const unsigned char script_26_audit[] = {
#embed "../../sql/26_audit.sql"
};
static const unsigned char script_27_rule_proofs[] = {
#embed "../../sql/27_rule_proofs.sql"
};
static const unsigned char script_28_lab_demand[] = {
#embed "../../sql/28_lab_demand.sql"
};
static const unsigned char script_29_lab[] = {
#embed "../../sql/29_lab.sql"
};
static const unsigned char script_31_backtest[] = {
#embed "../../sql/31_backtest.sql"
};
static const unsigned char script_34_place_orders[] = {
#embed "../../sql/34_place_orders.sql"
};
static const unsigned char script_40_bench_orders[] = {
#embed "../../sql/40_bench_orders.sql"
};
static const unsigned char script_41_bench_prices[] = {
#embed "../../sql/41_bench_prices.sql"
};
static const unsigned char script_42_bench_shop[] = {
#embed "../../sql/42_bench_shop.sql"
};
static const unsigned char script_43_bench_history[] = {
#embed "../../sql/43_bench_history.sql"
};
static const unsigned char script_44_bench_tables[] = {
#embed "../../sql/44_bench_tables.sql"
};
static const unsigned char script_47_audit_corrections[] = {
#embed "../../sql/47_audit_corrections.sql"
};
static const unsigned char script_48_declarations[] = {
#embed "../../sql/48_declarations.sql"
};

#define SCRIPT(name, bytes) {name, bytes, sizeof bytes}

static const struct pricing_script scripts[] = {
    SCRIPT("01_create_tables.sql", script_01_create_tables),
    SCRIPT("02_insert_dummy_data.sql", script_02_insert_dummy_data),
    SCRIPT("03_sample_queries.sql", script_03_sample_queries),
    SCRIPT("04_create_triggers.sql", script_04_create_triggers),
    SCRIPT("05_user_unique_constraints.sql", script_05_user_unique_constraints),
    SCRIPT("06_call.sql", script_06_call),
    SCRIPT("07_catalogue.sql", script_07_catalogue),
    SCRIPT("08_inventory.sql", script_08_inventory),
    SCRIPT("09_prices.sql", script_09_prices),
    SCRIPT("10_orders.sql", script_10_orders),
    SCRIPT("11_rules.sql", script_11_rules),
    SCRIPT("12_users.sql", script_12_users),
    SCRIPT("13_clock.sql", script_13_clock),
    SCRIPT("14_events.sql", script_14_events),
    SCRIPT("15_dashboard.sql", script_15_dashboard),
    SCRIPT("16_generate.sql", script_16_generate),
    SCRIPT("17_complete.sql", script_17_complete),
    SCRIPT("18_import.sql", script_18_import),
    SCRIPT("19_grants.sql", script_19_grants),
    SCRIPT("21_strategies.sql", script_21_strategies),
    SCRIPT("22_learner.sql", script_22_learner),
    SCRIPT("24_evaluate_price.sql", script_24_evaluate_price),
    SCRIPT("25_automation.sql", script_25_automation),
    SCRIPT("26_audit.sql", script_26_audit),
    SCRIPT("27_rule_proofs.sql", script_27_rule_proofs),
    SCRIPT("28_lab_demand.sql", script_28_lab_demand),
    SCRIPT("29_lab.sql", script_29_lab),
    SCRIPT("31_backtest.sql", script_31_backtest),
    SCRIPT("34_place_orders.sql", script_34_place_orders),
    SCRIPT("40_bench_orders.sql", script_40_bench_orders),
    SCRIPT("41_bench_prices.sql", script_41_bench_prices),
    SCRIPT("42_bench_shop.sql", script_42_bench_shop),
    SCRIPT("43_bench_history.sql", script_43_bench_history),
    SCRIPT("44_bench_tables.sql", script_44_bench_tables),
    SCRIPT("47_audit_corrections.sql", script_47_audit_corrections),
    SCRIPT("48_declarations.sql", script_48_declarations),
};

unsigned long pricing_script_count(void) {
    return sizeof scripts / sizeof scripts[0];
}

const struct pricing_script *pricing_script_at(unsigned long index) {
    return index < pricing_script_count() ? &scripts[index] : nullptr;
}
