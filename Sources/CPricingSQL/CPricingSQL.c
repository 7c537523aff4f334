#include "CPricingSQL.h"

// A test compares this list with the folder, byte for byte.
static const unsigned char script_01[] = {
#embed "../../sql/01_create_tables.sql"
};
static const unsigned char script_02[] = {
#embed "../../sql/02_insert_dummy_data.sql"
};
static const unsigned char script_03[] = {
#embed "../../sql/03_sample_queries.sql"
};
static const unsigned char script_04[] = {
#embed "../../sql/04_create_triggers.sql"
};
static const unsigned char script_05[] = {
#embed "../../sql/05_user_unique_constraints.sql"
};
static const unsigned char script_06[] = {
#embed "../../sql/06_call.sql"
};
static const unsigned char script_07[] = {
#embed "../../sql/07_catalogue.sql"
};
static const unsigned char script_08[] = {
#embed "../../sql/08_inventory.sql"
};
static const unsigned char script_09[] = {
#embed "../../sql/09_prices.sql"
};
static const unsigned char script_10[] = {
#embed "../../sql/10_orders.sql"
};
static const unsigned char script_11[] = {
#embed "../../sql/11_rules.sql"
};
static const unsigned char script_12[] = {
#embed "../../sql/12_users.sql"
};
static const unsigned char script_13[] = {
#embed "../../sql/13_clock.sql"
};
static const unsigned char script_14[] = {
#embed "../../sql/14_events.sql"
};
static const unsigned char script_15[] = {
#embed "../../sql/15_dashboard.sql"
};
static const unsigned char script_16[] = {
#embed "../../sql/16_generate.sql"
};
static const unsigned char script_17[] = {
#embed "../../sql/17_complete.sql"
};
static const unsigned char script_18[] = {
#embed "../../sql/18_import.sql"
};
static const unsigned char script_19[] = {
#embed "../../sql/19_grants.sql"
};
static const unsigned char script_20[] = {
#embed "../../sql/20_strategy_columns.sql"
};
static const unsigned char script_21[] = {
#embed "../../sql/21_strategies.sql"
};
static const unsigned char script_22[] = {
#embed "../../sql/22_learner.sql"
};
static const unsigned char script_23[] = {
#embed "../../sql/23_lists.sql"
};
static const unsigned char script_24[] = {
#embed "../../sql/24_evaluate_price.sql"
};
static const unsigned char script_25[] = {
#embed "../../sql/25_automation.sql"
};
static const unsigned char script_26[] = {
#embed "../../sql/26_audit.sql"
};
static const unsigned char script_27[] = {
#embed "../../sql/27_rule_proofs.sql"
};
static const unsigned char script_28[] = {
#embed "../../sql/28_lab_demand.sql"
};
static const unsigned char script_29[] = {
#embed "../../sql/29_lab.sql"
};
static const unsigned char script_30[] = {
#embed "../../sql/30_audit_repair.sql"
};
static const unsigned char script_31[] = {
#embed "../../sql/31_backtest.sql"
};
static const unsigned char script_32[] = {
#embed "../../sql/32_order_batch.sql"
};
static const unsigned char script_33[] = {
#embed "../../sql/33_sales_together.sql"
};
static const unsigned char script_34[] = {
#embed "../../sql/34_place_orders.sql"
};
static const unsigned char script_35[] = {
#embed "../../sql/35_event_partitions.sql"
};
static const unsigned char script_36[] = {
#embed "../../sql/36_failing_products.sql"
};
static const unsigned char script_37[] = {
#embed "../../sql/37_sums.sql"
};
static const unsigned char script_38[] = {
#embed "../../sql/38_identity.sql"
};
static const unsigned char script_39[] = {
#embed "../../sql/39_deliveries.sql"
};
static const unsigned char script_40[] = {
#embed "../../sql/40_bench_orders.sql"
};
static const unsigned char script_41[] = {
#embed "../../sql/41_bench_prices.sql"
};
static const unsigned char script_42[] = {
#embed "../../sql/42_bench_shop.sql"
};
static const unsigned char script_43[] = {
#embed "../../sql/43_bench_history.sql"
};
static const unsigned char script_44[] = {
#embed "../../sql/44_bench_tables.sql"
};
static const unsigned char script_45[] = {
#embed "../../sql/45_event_keys.sql"
};
static const unsigned char script_46[] = {
#embed "../../sql/46_kept_values.sql"
};
static const unsigned char script_47[] = {
#embed "../../sql/47_audit_corrections.sql"
};
static const unsigned char script_48[] = {
#embed "../../sql/48_declarations.sql"
};

#define SCRIPT(number, name) {name, script_##number, sizeof script_##number}

static const struct pricing_script scripts[] = {
    SCRIPT(01, "01_create_tables.sql"),
    SCRIPT(02, "02_insert_dummy_data.sql"),
    SCRIPT(03, "03_sample_queries.sql"),
    SCRIPT(04, "04_create_triggers.sql"),
    SCRIPT(05, "05_user_unique_constraints.sql"),
    SCRIPT(06, "06_call.sql"),
    SCRIPT(07, "07_catalogue.sql"),
    SCRIPT(08, "08_inventory.sql"),
    SCRIPT(09, "09_prices.sql"),
    SCRIPT(10, "10_orders.sql"),
    SCRIPT(11, "11_rules.sql"),
    SCRIPT(12, "12_users.sql"),
    SCRIPT(13, "13_clock.sql"),
    SCRIPT(14, "14_events.sql"),
    SCRIPT(15, "15_dashboard.sql"),
    SCRIPT(16, "16_generate.sql"),
    SCRIPT(17, "17_complete.sql"),
    SCRIPT(18, "18_import.sql"),
    SCRIPT(19, "19_grants.sql"),
    SCRIPT(20, "20_strategy_columns.sql"),
    SCRIPT(21, "21_strategies.sql"),
    SCRIPT(22, "22_learner.sql"),
    SCRIPT(23, "23_lists.sql"),
    SCRIPT(24, "24_evaluate_price.sql"),
    SCRIPT(25, "25_automation.sql"),
    SCRIPT(26, "26_audit.sql"),
    SCRIPT(27, "27_rule_proofs.sql"),
    SCRIPT(28, "28_lab_demand.sql"),
    SCRIPT(29, "29_lab.sql"),
    SCRIPT(30, "30_audit_repair.sql"),
    SCRIPT(31, "31_backtest.sql"),
    SCRIPT(32, "32_order_batch.sql"),
    SCRIPT(33, "33_sales_together.sql"),
    SCRIPT(34, "34_place_orders.sql"),
    SCRIPT(35, "35_event_partitions.sql"),
    SCRIPT(36, "36_failing_products.sql"),
    SCRIPT(37, "37_sums.sql"),
    SCRIPT(38, "38_identity.sql"),
    SCRIPT(39, "39_deliveries.sql"),
    SCRIPT(40, "40_bench_orders.sql"),
    SCRIPT(41, "41_bench_prices.sql"),
    SCRIPT(42, "42_bench_shop.sql"),
    SCRIPT(43, "43_bench_history.sql"),
    SCRIPT(44, "44_bench_tables.sql"),
    SCRIPT(45, "45_event_keys.sql"),
    SCRIPT(46, "46_kept_values.sql"),
    SCRIPT(47, "47_audit_corrections.sql"),
    SCRIPT(48, "48_declarations.sql"),
};

unsigned long pricing_script_count(void) {
    return sizeof scripts / sizeof scripts[0];
}

const struct pricing_script *pricing_script_at(unsigned long index) {
    return index < pricing_script_count() ? &scripts[index] : nullptr;
}
