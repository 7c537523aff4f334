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
static const unsigned char script_access[] = {
#embed "../../sql/access.sql"
};
static const unsigned char script_bench_footprint[] = {
#embed "../../sql/bench/footprint.sql"
};
static const unsigned char script_bench_history[] = {
#embed "../../sql/bench/history.sql"
};
static const unsigned char script_bench_orders[] = {
#embed "../../sql/bench/orders.sql"
};
static const unsigned char script_bench_prices[] = {
#embed "../../sql/bench/prices.sql"
};
static const unsigned char script_bench_shop[] = {
#embed "../../sql/bench/shop.sql"
};
static const unsigned char script_bench_tables[] = {
#embed "../../sql/bench/tables.sql"
};
static const unsigned char script_bench_thin_orders[] = {
#embed "../../sql/bench/thin_orders.sql"
};
static const unsigned char script_bench_thin_shop[] = {
#embed "../../sql/bench/thin_shop.sql"
};
static const unsigned char script_calls_audit[] = {
#embed "../../sql/calls/audit.sql"
};
static const unsigned char script_calls_browse[] = {
#embed "../../sql/calls/browse.sql"
};
static const unsigned char script_calls_call[] = {
#embed "../../sql/calls/call.sql"
};
static const unsigned char script_calls_campaign[] = {
#embed "../../sql/calls/campaign.sql"
};
static const unsigned char script_calls_category[] = {
#embed "../../sql/calls/category.sql"
};
static const unsigned char script_calls_claim[] = {
#embed "../../sql/calls/claim.sql"
};
static const unsigned char script_calls_clock[] = {
#embed "../../sql/calls/clock.sql"
};
static const unsigned char script_calls_dashboard[] = {
#embed "../../sql/calls/dashboard.sql"
};
static const unsigned char script_calls_data[] = {
#embed "../../sql/calls/data.sql"
};
static const unsigned char script_calls_events[] = {
#embed "../../sql/calls/events.sql"
};
static const unsigned char script_calls_history[] = {
#embed "../../sql/calls/history.sql"
};
static const unsigned char script_calls_inventory[] = {
#embed "../../sql/calls/inventory.sql"
};
static const unsigned char script_calls_login[] = {
#embed "../../sql/calls/login.sql"
};
static const unsigned char script_calls_naming[] = {
#embed "../../sql/calls/naming.sql"
};
static const unsigned char script_calls_offer[] = {
#embed "../../sql/calls/offer.sql"
};
static const unsigned char script_calls_order[] = {
#embed "../../sql/calls/order.sql"
};
static const unsigned char script_calls_price[] = {
#embed "../../sql/calls/price.sql"
};
static const unsigned char script_calls_pricing[] = {
#embed "../../sql/calls/pricing.sql"
};
static const unsigned char script_calls_product[] = {
#embed "../../sql/calls/product.sql"
};
static const unsigned char script_calls_product_import[] = {
#embed "../../sql/calls/product_import.sql"
};
static const unsigned char script_calls_proposal[] = {
#embed "../../sql/calls/proposal.sql"
};
static const unsigned char script_calls_quote[] = {
#embed "../../sql/calls/quote.sql"
};
static const unsigned char script_calls_report[] = {
#embed "../../sql/calls/report.sql"
};
static const unsigned char script_calls_rollback[] = {
#embed "../../sql/calls/rollback.sql"
};
static const unsigned char script_calls_rule[] = {
#embed "../../sql/calls/rule.sql"
};
static const unsigned char script_calls_server[] = {
#embed "../../sql/calls/server.sql"
};
static const unsigned char script_calls_supplier[] = {
#embed "../../sql/calls/supplier.sql"
};
static const unsigned char script_calls_timeline[] = {
#embed "../../sql/calls/timeline.sql"
};
static const unsigned char script_calls_user[] = {
#embed "../../sql/calls/user.sql"
};
static const unsigned char script_lab_demand[] = {
#embed "../../sql/lab/demand.sql"
};
static const unsigned char script_lab_season[] = {
#embed "../../sql/lab/season.sql"
};
static const unsigned char script_lab_shop[] = {
#embed "../../sql/lab/shop.sql"
};
static const unsigned char script_pricing_audit[] = {
#embed "../../sql/pricing/audit.sql"
};
static const unsigned char script_pricing_batches[] = {
#embed "../../sql/pricing/batches.sql"
};
static const unsigned char script_pricing_campaigns[] = {
#embed "../../sql/pricing/campaigns.sql"
};
static const unsigned char script_pricing_clock[] = {
#embed "../../sql/pricing/clock.sql"
};
static const unsigned char script_pricing_declare[] = {
#embed "../../sql/pricing/declare.sql"
};
static const unsigned char script_pricing_declarations[] = {
#embed "../../sql/pricing/declarations.sql"
};
static const unsigned char script_pricing_deliveries[] = {
#embed "../../sql/pricing/deliveries.sql"
};
static const unsigned char script_pricing_estimates[] = {
#embed "../../sql/pricing/estimates.sql"
};
static const unsigned char script_pricing_evaluate[] = {
#embed "../../sql/pricing/evaluate.sql"
};
static const unsigned char script_pricing_events[] = {
#embed "../../sql/pricing/events.sql"
};
static const unsigned char script_pricing_explain[] = {
#embed "../../sql/pricing/explain.sql"
};
static const unsigned char script_pricing_failing[] = {
#embed "../../sql/pricing/failing.sql"
};
static const unsigned char script_pricing_folds[] = {
#embed "../../sql/pricing/folds.sql"
};
static const unsigned char script_pricing_guards[] = {
#embed "../../sql/pricing/guards.sql"
};
static const unsigned char script_pricing_halts[] = {
#embed "../../sql/pricing/halts.sql"
};
static const unsigned char script_pricing_learner[] = {
#embed "../../sql/pricing/learner.sql"
};
static const unsigned char script_pricing_ledger[] = {
#embed "../../sql/pricing/ledger.sql"
};
static const unsigned char script_pricing_names[] = {
#embed "../../sql/pricing/names.sql"
};
static const unsigned char script_pricing_orders[] = {
#embed "../../sql/pricing/orders.sql"
};
static const unsigned char script_pricing_proofs[] = {
#embed "../../sql/pricing/proofs.sql"
};
static const unsigned char script_pricing_proposals[] = {
#embed "../../sql/pricing/proposals.sql"
};
static const unsigned char script_pricing_quotes[] = {
#embed "../../sql/pricing/quotes.sql"
};
static const unsigned char script_pricing_repair[] = {
#embed "../../sql/pricing/repair.sql"
};
static const unsigned char script_pricing_replay[] = {
#embed "../../sql/pricing/replay.sql"
};
static const unsigned char script_pricing_replay_start[] = {
#embed "../../sql/pricing/replay_start.sql"
};
static const unsigned char script_pricing_secrets[] = {
#embed "../../sql/pricing/secrets.sql"
};
static const unsigned char script_pricing_shop_prior[] = {
#embed "../../sql/pricing/shop_prior.sql"
};
static const unsigned char script_pricing_strategies[] = {
#embed "../../sql/pricing/strategies.sql"
};
static const unsigned char script_pricing_tick[] = {
#embed "../../sql/pricing/tick.sql"
};
static const unsigned char script_pricing_wanted[] = {
#embed "../../sql/pricing/wanted.sql"
};
static const unsigned char script_types[] = {
#embed "../../sql/types.sql"
};

#define SCRIPT(name, bytes) {name, bytes, sizeof bytes}

static const struct pricing_script scripts[] = {
    SCRIPT("01_create_tables.sql", script_01_create_tables),
    SCRIPT("02_insert_dummy_data.sql", script_02_insert_dummy_data),
    SCRIPT("03_sample_queries.sql", script_03_sample_queries),
    SCRIPT("04_create_triggers.sql", script_04_create_triggers),
    SCRIPT("05_user_unique_constraints.sql", script_05_user_unique_constraints),
    SCRIPT("access.sql", script_access),
    SCRIPT("bench/footprint.sql", script_bench_footprint),
    SCRIPT("bench/history.sql", script_bench_history),
    SCRIPT("bench/orders.sql", script_bench_orders),
    SCRIPT("bench/prices.sql", script_bench_prices),
    SCRIPT("bench/shop.sql", script_bench_shop),
    SCRIPT("bench/tables.sql", script_bench_tables),
    SCRIPT("bench/thin_orders.sql", script_bench_thin_orders),
    SCRIPT("bench/thin_shop.sql", script_bench_thin_shop),
    SCRIPT("calls/audit.sql", script_calls_audit),
    SCRIPT("calls/browse.sql", script_calls_browse),
    SCRIPT("calls/call.sql", script_calls_call),
    SCRIPT("calls/campaign.sql", script_calls_campaign),
    SCRIPT("calls/category.sql", script_calls_category),
    SCRIPT("calls/claim.sql", script_calls_claim),
    SCRIPT("calls/clock.sql", script_calls_clock),
    SCRIPT("calls/dashboard.sql", script_calls_dashboard),
    SCRIPT("calls/data.sql", script_calls_data),
    SCRIPT("calls/events.sql", script_calls_events),
    SCRIPT("calls/history.sql", script_calls_history),
    SCRIPT("calls/inventory.sql", script_calls_inventory),
    SCRIPT("calls/login.sql", script_calls_login),
    SCRIPT("calls/naming.sql", script_calls_naming),
    SCRIPT("calls/offer.sql", script_calls_offer),
    SCRIPT("calls/order.sql", script_calls_order),
    SCRIPT("calls/price.sql", script_calls_price),
    SCRIPT("calls/pricing.sql", script_calls_pricing),
    SCRIPT("calls/product.sql", script_calls_product),
    SCRIPT("calls/product_import.sql", script_calls_product_import),
    SCRIPT("calls/proposal.sql", script_calls_proposal),
    SCRIPT("calls/quote.sql", script_calls_quote),
    SCRIPT("calls/report.sql", script_calls_report),
    SCRIPT("calls/rollback.sql", script_calls_rollback),
    SCRIPT("calls/rule.sql", script_calls_rule),
    SCRIPT("calls/server.sql", script_calls_server),
    SCRIPT("calls/supplier.sql", script_calls_supplier),
    SCRIPT("calls/timeline.sql", script_calls_timeline),
    SCRIPT("calls/user.sql", script_calls_user),
    SCRIPT("lab/demand.sql", script_lab_demand),
    SCRIPT("lab/season.sql", script_lab_season),
    SCRIPT("lab/shop.sql", script_lab_shop),
    SCRIPT("pricing/audit.sql", script_pricing_audit),
    SCRIPT("pricing/batches.sql", script_pricing_batches),
    SCRIPT("pricing/campaigns.sql", script_pricing_campaigns),
    SCRIPT("pricing/clock.sql", script_pricing_clock),
    SCRIPT("pricing/declare.sql", script_pricing_declare),
    SCRIPT("pricing/declarations.sql", script_pricing_declarations),
    SCRIPT("pricing/deliveries.sql", script_pricing_deliveries),
    SCRIPT("pricing/estimates.sql", script_pricing_estimates),
    SCRIPT("pricing/evaluate.sql", script_pricing_evaluate),
    SCRIPT("pricing/events.sql", script_pricing_events),
    SCRIPT("pricing/explain.sql", script_pricing_explain),
    SCRIPT("pricing/failing.sql", script_pricing_failing),
    SCRIPT("pricing/folds.sql", script_pricing_folds),
    SCRIPT("pricing/guards.sql", script_pricing_guards),
    SCRIPT("pricing/halts.sql", script_pricing_halts),
    SCRIPT("pricing/learner.sql", script_pricing_learner),
    SCRIPT("pricing/ledger.sql", script_pricing_ledger),
    SCRIPT("pricing/names.sql", script_pricing_names),
    SCRIPT("pricing/orders.sql", script_pricing_orders),
    SCRIPT("pricing/proofs.sql", script_pricing_proofs),
    SCRIPT("pricing/proposals.sql", script_pricing_proposals),
    SCRIPT("pricing/quotes.sql", script_pricing_quotes),
    SCRIPT("pricing/repair.sql", script_pricing_repair),
    SCRIPT("pricing/replay.sql", script_pricing_replay),
    SCRIPT("pricing/replay_start.sql", script_pricing_replay_start),
    SCRIPT("pricing/secrets.sql", script_pricing_secrets),
    SCRIPT("pricing/shop_prior.sql", script_pricing_shop_prior),
    SCRIPT("pricing/strategies.sql", script_pricing_strategies),
    SCRIPT("pricing/tick.sql", script_pricing_tick),
    SCRIPT("pricing/wanted.sql", script_pricing_wanted),
    SCRIPT("types.sql", script_types),
};

unsigned long pricing_script_count(void) {
    return sizeof scripts / sizeof scripts[0];
}

const struct pricing_script *pricing_script_at(unsigned long index) {
    return index < pricing_script_count() ? &scripts[index] : nullptr;
}
