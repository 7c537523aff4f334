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
static const unsigned char script_23[] = {
#embed "../../sql/23_lists.sql"
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
    SCRIPT(23, "23_lists.sql"),
};

unsigned long pricing_script_count(void) {
    return sizeof scripts / sizeof scripts[0];
}

const struct pricing_script *pricing_script_at(unsigned long index) {
    return index < pricing_script_count() ? &scripts[index] : nullptr;
}
