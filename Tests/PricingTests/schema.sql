CREATE SCHEMA pricing;
CREATE SCHEMA pricing_code;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA pricing;
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA pricing;
CREATE DOMAIN pricing.amount AS numeric(12,2)
	CONSTRAINT amount_is_number CHECK ((VALUE < 'NaN'::numeric));
CREATE DOMAIN pricing.campaign_status AS text
	CONSTRAINT campaign_status_known CHECK ((VALUE = ANY (ARRAY['scheduled'::text, 'starting'::text, 'running'::text, 'ending'::text, 'ended'::text])));
CREATE DOMAIN pricing.demand_weight AS double precision
	CONSTRAINT demand_weight_range CHECK (((VALUE = (0)::double precision) OR ((VALUE >= (0.000000001)::double precision) AND (VALUE <= (1000)::double precision))));
CREATE DOMAIN pricing.event_topic AS text
	CONSTRAINT notice_topic_known CHECK ((VALUE = ANY (ARRAY['price'::text, 'stock'::text, 'order'::text, 'automation'::text, 'catalogue'::text])));
CREATE DOMAIN pricing.finite_number AS double precision
	CONSTRAINT finite_number_is_number CHECK (((VALUE >= ('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision) AND (VALUE <= ('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision)));
CREATE DOMAIN pricing.finite_numbers AS double precision[]
	CONSTRAINT finite_numbers_are_numbers CHECK (((('-1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision <= ALL (VALUE)) AND (('1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000'::numeric)::double precision >= ALL (VALUE)) AND (array_position(VALUE, NULL::double precision) IS NULL)));
CREATE DOMAIN pricing.finite_time AS timestamp with time zone
	CONSTRAINT finite_time_has_four_digits CHECK (((VALUE >= '0001-01-01 00:00:00+00'::timestamp with time zone) AND (VALUE < '10000-01-01 00:00:00+00'::timestamp with time zone)));
CREATE DOMAIN pricing.moved_quantity AS integer
	CONSTRAINT stock_movement_quantity_not_zero CHECK ((VALUE <> 0));
CREATE TYPE pricing.movement_cause AS (
	kind text,
	actor text,
	reason text,
	order_id bigint
);
CREATE DOMAIN pricing.movement_kind AS text
	CONSTRAINT stock_movement_kind_known CHECK ((VALUE = ANY (ARRAY['initial'::text, 'sale'::text, 'cancel'::text, 'return'::text, 'restock'::text, 'adjust'::text, 'hold'::text, 'release'::text, 'expire'::text])));
CREATE DOMAIN pricing.order_status AS text
	CONSTRAINT order_status_known CHECK ((VALUE = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'cancelled'::text, 'returned'::text])));
CREATE DOMAIN pricing.order_total AS numeric(24,2)
	CONSTRAINT order_total_positive CHECK (((VALUE > (0)::numeric) AND (VALUE < 'NaN'::numeric)));
CREATE DOMAIN pricing.percentage AS numeric
	CONSTRAINT percentage_is_number CHECK ((VALUE < 'NaN'::numeric));
CREATE DOMAIN pricing.price_amount AS pricing.amount
	CONSTRAINT price_positive CHECK (((VALUE)::numeric > (0)::numeric));
CREATE DOMAIN pricing.proposal_status AS text
	CONSTRAINT proposal_status_known CHECK ((VALUE = ANY (ARRAY['open'::text, 'approved'::text, 'rejected'::text, 'expired'::text, 'withdrawn'::text])));
CREATE DOMAIN pricing.quote_status AS text
	CONSTRAINT quote_status_known CHECK ((VALUE = ANY (ARRAY['open'::text, 'ordered'::text, 'released'::text, 'expired'::text])));
CREATE DOMAIN pricing.sold_quantity AS integer
	CONSTRAINT sold_quantity_positive CHECK ((VALUE > 0));
CREATE DOMAIN pricing.stock_band AS smallint
	CONSTRAINT stock_band_known CHECK ((VALUE = ANY (ARRAY['-1'::integer, 0, 1])));
CREATE TYPE pricing_code.audit_finding AS (
	kind text,
	"table" text,
	product_id bigint,
	sequence bigint,
	order_id bigint,
	field text,
	expected text,
	found text
);
CREATE TYPE pricing_code.batch_line AS (
	call integer,
	product_id bigint,
	quantity bigint,
	price numeric(12,2),
	is_calm boolean,
	sku text,
	is_new boolean
);
CREATE TYPE pricing_code.lab_customers AS (
	times double precision[],
	willing double precision[]
);
CREATE TYPE pricing_code.lab_policy AS (
	strategy text,
	knows text,
	ticks integer,
	band_tick numeric,
	band_stock numeric,
	least_rise double precision,
	least_fall double precision,
	daily_cap numeric,
	move double precision,
	low_share double precision,
	high_share double precision
);
CREATE TYPE pricing_code.lab_run AS (
	stock integer,
	value double precision,
	prices double precision[],
	path jsonb,
	state double precision[],
	fresh double precision[],
	tick double precision,
	ticks integer,
	season_left double precision,
	elasticity double precision,
	rate double precision,
	elasticity_now double precision,
	rate_now double precision,
	price double precision,
	posted numeric,
	anchor numeric,
	opened double precision,
	units integer,
	customer integer
);
CREATE TYPE pricing_code.lab_scenario AS (
	name text,
	stock integer,
	horizon double precision,
	arrivals double precision,
	demand double precision[],
	season double precision[],
	believed double precision[],
	season_max double precision,
	base double precision,
	ref_rate double precision,
	elasticity double precision,
	salvage double precision,
	decay double precision,
	seed bigint,
	floor_at numeric,
	ceiling_at numeric,
	price_step numeric,
	best_fixed double precision,
	true_rate double precision,
	true_elasticity double precision
);
CREATE TYPE pricing_code.learn_run AS (
	state double precision[],
	folded_at timestamp with time zone,
	fresh double precision[],
	price double precision,
	opened_at timestamp with time zone,
	ds double precision,
	units double precision,
	counted_to timestamp with time zone
);
CREATE TYPE pricing_code.learn_span AS (
	product_id bigint,
	base double precision,
	elasticity double precision,
	decay double precision,
	born timestamp with time zone,
	season_start timestamp with time zone,
	season_end timestamp with time zone,
	season_profile double precision[],
	number bigint,
	state double precision[],
	is_first boolean,
	first bigint,
	since timestamp with time zone,
	from_at timestamp with time zone,
	from_movement bigint,
	from_change bigint,
	to_at timestamp with time zone,
	to_movement bigint,
	to_change bigint
);
CREATE TYPE pricing_code.order_outcome AS (
	reply text,
	replayed boolean,
	state text,
	message text,
	detail text,
	broken text
);
CREATE TYPE pricing_code.price_verdict AS (
	stock integer,
	band smallint,
	gap integer,
	elasticity double precision,
	rate double precision,
	season_left double precision,
	days_left double precision,
	has_end boolean,
	age double precision,
	raw numeric,
	cap numeric,
	capped numeric,
	floor_at numeric,
	ceiling_at numeric,
	limited numeric,
	dead_band numeric,
	price numeric,
	binding text,
	frozen text,
	approve_above numeric,
	asked numeric,
	proposed numeric
);
CREATE TYPE pricing_code.replay_learner AS (
	span pricing_code.learn_span,
	run pricing_code.learn_run,
	orders bigint[],
	units integer[],
	segments integer[],
	distances double precision[],
	folds integer[],
	moments timestamp with time zone[]
);
CREATE TABLE pricing.inventory (
    product_id bigint NOT NULL,
    stock integer DEFAULT 0 NOT NULL,
    held integer DEFAULT 0 NOT NULL,
    price pricing.price_amount NOT NULL,
    regular_price pricing.price_amount NOT NULL,
    campaign_percent pricing.percentage,
    campaign_price pricing.amount,
    band pricing.stock_band DEFAULT 0 NOT NULL,
    anchor_price pricing.amount NOT NULL,
    anchor_date date,
    ticked_at pricing.finite_time,
    pin_price pricing.amount,
    pinned_until timestamp with time zone,
    opening_price pricing.amount NOT NULL,
    movement_count bigint DEFAULT 0 NOT NULL,
    change_count bigint DEFAULT 0 NOT NULL,
    last_restock_at pricing.finite_time,
    cause pricing.movement_cause,
    ends_order boolean,
    sales integer,
    opening_rate pricing.finite_number,
    opening_is_final boolean DEFAULT false NOT NULL,
    elasticity_now pricing.finite_number,
    rate_now pricing.finite_number,
    next_eta pricing.finite_time,
    changed_at pricing.finite_time,
    stands_from integer,
    stands_to integer,
    learning_since pricing.finite_time,
    awaits_approval boolean DEFAULT false NOT NULL,
    unshipped integer DEFAULT 0 NOT NULL,
    CONSTRAINT inventory_held_range CHECK (((held >= 0) AND (held <= stock))),
    CONSTRAINT inventory_pin_complete CHECK ((((pin_price IS NULL) = (pinned_until IS NULL)) AND (pinned_until > '-infinity'::timestamp with time zone)))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='500');
CREATE TABLE pricing.product (
    product_id bigint NOT NULL,
    title text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    category_id bigint NOT NULL,
    supplier_id bigint,
    base_price pricing.amount NOT NULL,
    unit_cost pricing.amount,
    floor_price pricing.amount NOT NULL,
    ceiling_price pricing.amount NOT NULL,
    low_stock integer DEFAULT 10 NOT NULL,
    high_stock integer DEFAULT 100 NOT NULL,
    rule_id bigint NOT NULL,
    active boolean DEFAULT true NOT NULL,
    archived_at pricing.finite_time,
    version integer DEFAULT 1 NOT NULL,
    created_at pricing.finite_time DEFAULT now() NOT NULL,
    elasticity double precision DEFAULT 2 NOT NULL,
    ref_rate double precision,
    unit_value pricing.amount DEFAULT 0 NOT NULL,
    decay double precision DEFAULT 0 NOT NULL,
    season_start pricing.finite_time,
    season_end pricing.finite_time,
    season_profile pricing.demand_weight[],
    search_text text GENERATED ALWAYS AS ((((pricing.fold_text(title) || chr(10)) || pricing.fold_text(description)) || COALESCE((chr(10) || pricing.fold_text(sku)), ''::text))) STORED,
    floor_typed boolean DEFAULT true NOT NULL,
    ceiling_typed boolean DEFAULT true NOT NULL,
    sku text,
    CONSTRAINT product_base_price_positive CHECK (((base_price)::numeric > (0)::numeric)),
    CONSTRAINT product_ceiling_positive CHECK (((ceiling_price)::numeric > (0)::numeric)),
    CONSTRAINT product_decay_range CHECK (((decay >= (0)::double precision) AND (decay <= (1)::double precision))),
    CONSTRAINT product_elasticity_range CHECK (((elasticity >= (0.1)::double precision) AND (elasticity <= (20)::double precision))),
    CONSTRAINT product_floor_positive CHECK (((floor_price)::numeric > (0)::numeric)),
    CONSTRAINT product_levels_ordered CHECK ((high_stock >= (low_stock + 3))),
    CONSTRAINT product_limits_ordered CHECK (((floor_price)::numeric <= (ceiling_price)::numeric)),
    CONSTRAINT product_low_stock_range CHECK ((low_stock >= 0)),
    CONSTRAINT product_ref_rate_range CHECK (((ref_rate > (0)::double precision) AND (ref_rate <= ('1000000000'::numeric)::double precision))),
    CONSTRAINT product_season_ordered CHECK ((((season_start IS NULL) = (season_end IS NULL)) AND ((season_end)::timestamp with time zone > (season_start)::timestamp with time zone))),
    CONSTRAINT product_season_profile_shape CHECK (((season_profile IS NULL) OR ((season_end IS NOT NULL) AND (array_ndims(season_profile) = 1) AND (cardinality(season_profile) <= 1000) AND (array_position(season_profile, (NULL::double precision)::pricing.demand_weight) IS NULL) AND ((0)::double precision < ANY ((season_profile)::double precision[]))))),
    CONSTRAINT product_sku_length CHECK (((char_length(sku) >= 1) AND (char_length(sku) <= 64))),
    CONSTRAINT product_title_length CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200))),
    CONSTRAINT product_unit_cost_range CHECK (((unit_cost)::numeric >= (0)::numeric)),
    CONSTRAINT product_unit_value_range CHECK (((unit_value)::numeric >= (0)::numeric))
);
CREATE TYPE pricing_code.replay AS (
	declared pricing.product,
	i pricing.inventory,
	l pricing_code.replay_learner,
	halts bigint[],
	running bigint[],
	told numeric,
	at timestamp with time zone[],
	prices numeric[],
	stocks integer[],
	guards text[]
);
CREATE TYPE pricing_code.replay_mark AS (
	change_id bigint,
	at timestamp with time zone,
	kind text,
	id bigint
);
CREATE TYPE pricing_code.rollback_step AS (
	product_id bigint,
	is_new boolean,
	members jsonb,
	again text,
	price numeric,
	was_moved boolean,
	declared_since boolean
);
CREATE TYPE pricing_code.stream_event AS (
	sequence bigint,
	at timestamp with time zone,
	topic text,
	op text,
	product_id bigint,
	order_id bigint,
	key bigint,
	before json,
	after json,
	cause json,
	actor text
);
CREATE TYPE pricing_code.stream_position AS (
	sequence bigint,
	looked_to bigint,
	running bigint[],
	beyond bigint[]
);
CREATE TYPE pricing_code.wanted_line AS (
	product_id bigint,
	quantity bigint,
	max_price numeric,
	price numeric(12,2),
	available integer,
	is_open boolean,
	sku text,
	is_calm boolean,
	unit_price numeric(12,2)
);
CREATE TABLE pricing.rule (
    rule_id bigint NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    strategy text NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    up_share numeric(6,4) DEFAULT 0.10 NOT NULL,
    down_share numeric(6,4) DEFAULT 0.10 NOT NULL,
    gap_share numeric(6,4) DEFAULT 0.05 NOT NULL,
    tick_seconds integer DEFAULT 21600 NOT NULL,
    band_tick numeric(6,4) DEFAULT 0.06 NOT NULL,
    band_stock numeric(6,4) DEFAULT 0.06 NOT NULL,
    least_rise numeric(6,4) DEFAULT 0.20 NOT NULL,
    least_fall numeric(6,4) DEFAULT 0.12 NOT NULL,
    daily_cap numeric(6,4) DEFAULT 0.30,
    minimum_margin numeric(6,4) DEFAULT 0 NOT NULL,
    price_step pricing.amount DEFAULT 0.01 NOT NULL,
    price_offset pricing.amount DEFAULT 0 NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    actor text DEFAULT SESSION_USER NOT NULL,
    created_at pricing.finite_time DEFAULT now() NOT NULL,
    activated_at pricing.finite_time,
    cover_days double precision DEFAULT 30 NOT NULL,
    cooldown_seconds integer DEFAULT 0 NOT NULL,
    never_up boolean DEFAULT false NOT NULL,
    from_shop boolean DEFAULT true NOT NULL,
    approve_above numeric(6,4),
    signal text DEFAULT 'committed'::text NOT NULL,
    CONSTRAINT rule_approve_above_range CHECK (((approve_above >= (0)::numeric) AND (approve_above <= (10)::numeric))),
    CONSTRAINT rule_band_stock_range CHECK (((band_stock >= band_tick) AND (band_stock <= (1)::numeric))),
    CONSTRAINT rule_band_tick_range CHECK (((band_tick >= (0)::numeric) AND (band_tick <= (1)::numeric))),
    CONSTRAINT rule_cooldown_seconds_range CHECK (((cooldown_seconds >= 0) AND (cooldown_seconds <= 2592000))),
    CONSTRAINT rule_cover_days_range CHECK (((cover_days >= (1)::double precision) AND (cover_days <= (3650)::double precision))),
    CONSTRAINT rule_daily_cap_range CHECK (((daily_cap > (0)::numeric) AND (daily_cap <= (10)::numeric))),
    CONSTRAINT rule_down_share_range CHECK (((down_share >= (0)::numeric) AND (down_share <= 0.95))),
    CONSTRAINT rule_gap_share_range CHECK (((gap_share >= (0)::numeric) AND (gap_share <= 0.45))),
    CONSTRAINT rule_least_fall_range CHECK (((least_fall >= (0)::numeric) AND (least_fall <= (10)::numeric))),
    CONSTRAINT rule_least_rise_range CHECK (((least_rise >= (0)::numeric) AND (least_rise <= (10)::numeric))),
    CONSTRAINT rule_minimum_margin_range CHECK (((minimum_margin >= (0)::numeric) AND (minimum_margin <= (10)::numeric))),
    CONSTRAINT rule_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT rule_price_offset_range CHECK ((((price_offset)::numeric >= (0)::numeric) AND ((price_offset)::numeric < (price_step)::numeric))),
    CONSTRAINT rule_price_step_positive CHECK (((price_step)::numeric > (0)::numeric)),
    CONSTRAINT rule_signal_known CHECK ((signal = ANY (ARRAY['committed'::text, 'available'::text, 'on_hand'::text]))),
    CONSTRAINT rule_status_known CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text]))),
    CONSTRAINT rule_tick_seconds_range CHECK ((tick_seconds = ANY (ARRAY[3600, 21600, 86400]))),
    CONSTRAINT rule_up_share_range CHECK (((up_share >= (0)::numeric) AND (up_share <= (1)::numeric))),
    CONSTRAINT rule_version_positive CHECK ((version >= 1))
);
CREATE TABLE pricing.campaign (
    campaign_id bigint NOT NULL,
    name text NOT NULL,
    category_id bigint,
    is_for_all boolean DEFAULT false NOT NULL,
    percent_off pricing.percentage,
    starts_at pricing.finite_time NOT NULL,
    ends_at pricing.finite_time NOT NULL,
    actor text DEFAULT SESSION_USER NOT NULL,
    created_at pricing.finite_time DEFAULT now() NOT NULL,
    status pricing.campaign_status DEFAULT 'scheduled'::text NOT NULL,
    reached bigint,
    waiting bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    started_at pricing.finite_time,
    ended_at pricing.finite_time,
    ended_by text,
    end_reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT campaign_fixed_by_product CHECK (((percent_off IS NOT NULL) OR ((category_id IS NULL) AND (NOT is_for_all)))),
    CONSTRAINT campaign_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
    CONSTRAINT campaign_one_scope CHECK (((category_id IS NULL) OR (NOT is_for_all))),
    CONSTRAINT campaign_percent_range CHECK ((((percent_off)::numeric > (0)::numeric) AND ((percent_off)::numeric <= (95)::numeric))),
    CONSTRAINT campaign_times_ordered CHECK (((ends_at)::timestamp with time zone > (starts_at)::timestamp with time zone))
);
CREATE TABLE pricing.proposal (
    proposal_id bigint NOT NULL,
    product_id bigint NOT NULL,
    rule_id bigint NOT NULL,
    status pricing.proposal_status DEFAULT 'open'::text NOT NULL,
    stands boolean DEFAULT true NOT NULL,
    old_price pricing.price_amount NOT NULL,
    new_price pricing.price_amount NOT NULL,
    stock integer NOT NULL,
    cause text NOT NULL,
    binding_guard text,
    inputs jsonb NOT NULL,
    made_at pricing.finite_time NOT NULL,
    renewed_at pricing.finite_time NOT NULL,
    expires_at pricing.finite_time NOT NULL,
    decided_at pricing.finite_time,
    decided_by text,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT proposal_done_is_over CHECK (
CASE
    WHEN ((status)::text = 'open'::text) THEN stands
    WHEN ((status)::text = ANY (ARRAY['approved'::text, 'withdrawn'::text])) THEN (NOT stands)
    ELSE true
END),
    CONSTRAINT proposal_moves CHECK (((old_price)::numeric <> (new_price)::numeric)),
    CONSTRAINT proposal_open_is_undecided CHECK ((((status)::text = 'open'::text) = (decided_at IS NULL)))
);
CREATE TABLE pricing.category (
    category_id bigint NOT NULL,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    rule_name text,
    CONSTRAINT category_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)))
);
CREATE TABLE pricing.automation_halt (
    halt_id bigint NOT NULL,
    category_id bigint,
    product_id bigint,
    reason text NOT NULL,
    actor text NOT NULL,
    halted_at pricing.finite_time NOT NULL,
    resume_reason text,
    resumed_by text,
    resumed_at pricing.finite_time,
    CONSTRAINT automation_halt_one_scope CHECK (((category_id IS NULL) OR (product_id IS NULL)))
);
CREATE TABLE pricing.quote (
    quote_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    status pricing.quote_status DEFAULT 'open'::text NOT NULL,
    created_at pricing.finite_time DEFAULT now() NOT NULL,
    expires_at pricing.finite_time NOT NULL,
    closed_at pricing.finite_time,
    order_id bigint,
    reason text DEFAULT ''::text NOT NULL,
    actor text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT quote_closed_with_time CHECK ((((status)::text = 'open'::text) = (closed_at IS NULL))),
    CONSTRAINT quote_lasts_a_day CHECK ((((expires_at)::timestamp with time zone > (created_at)::timestamp with time zone) AND (((expires_at)::timestamp with time zone - (created_at)::timestamp with time zone) <= '24:00:00'::interval))),
    CONSTRAINT quote_ordered_by CHECK ((((status)::text = 'ordered'::text) = (order_id IS NOT NULL)))
)
WITH (fillfactor='90');
CREATE TABLE pricing.expectation (
    expectation_id bigint NOT NULL,
    product_id bigint NOT NULL,
    quantity integer NOT NULL,
    eta pricing.finite_time NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    created_at pricing.finite_time NOT NULL,
    closed_at pricing.finite_time,
    received bigint DEFAULT 0 NOT NULL,
    closed_reason text,
    CONSTRAINT expectation_closed_with_reason CHECK (((closed_reason IS NULL) OR (closed_at IS NOT NULL))),
    CONSTRAINT expectation_eta_is_finite CHECK (isfinite((eta)::timestamp with time zone)),
    CONSTRAINT expectation_quantity_positive CHECK ((quantity > 0)),
    CONSTRAINT expectation_received_not_negative CHECK ((received >= 0))
);
CREATE TABLE pricing.customer_order (
    order_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    status pricing.order_status DEFAULT 'pending'::text NOT NULL,
    total pricing.order_total NOT NULL,
    shipping_address text DEFAULT ''::text NOT NULL,
    placed_at pricing.finite_time NOT NULL,
    changed_at pricing.finite_time NOT NULL,
    actor text NOT NULL
)
WITH (fillfactor='90');
CREATE TABLE pricing.supplier (
    supplier_id bigint NOT NULL,
    company_name text NOT NULL,
    contact_email text,
    tax_number text,
    address text DEFAULT ''::text NOT NULL,
    created_at pricing.finite_time DEFAULT now() NOT NULL,
    CONSTRAINT supplier_company_name_length CHECK (((char_length(company_name) >= 1) AND (char_length(company_name) <= 200)))
);
CREATE TABLE pricing.app_user (
    user_id bigint NOT NULL,
    full_name text NOT NULL,
    email text NOT NULL,
    phone_number text,
    role text DEFAULT 'customer'::text NOT NULL,
    password_hash text,
    created_at pricing.finite_time DEFAULT now() NOT NULL,
    archived_at pricing.finite_time,
    search_text text GENERATED ALWAYS AS (((pricing.fold_text(full_name) || chr(10)) || pricing.fold_text(email))) STORED,
    CONSTRAINT app_user_email_shape CHECK (((email ~ '^[^@[:space:]]+@[^@[:space:]]+$'::text) AND (char_length(email) <= 254))),
    CONSTRAINT app_user_full_name_length CHECK (((char_length(full_name) >= 1) AND (char_length(full_name) <= 200))),
    CONSTRAINT app_user_phone_shape CHECK ((phone_number ~ '^[+0-9][0-9 ()./-]{2,31}$'::text)),
    CONSTRAINT app_user_role_known CHECK ((role = ANY (ARRAY['customer'::text, 'seller'::text, 'admin'::text])))
);
CREATE TABLE pricing.quote_line (
    quote_id bigint NOT NULL,
    product_id bigint NOT NULL,
    quantity pricing.sold_quantity NOT NULL,
    unit_price pricing.price_amount NOT NULL
);
CREATE TABLE pricing.hash_secret (
    only_row boolean DEFAULT true NOT NULL,
    secret bytea DEFAULT pricing.gen_random_bytes(32) NOT NULL,
    CONSTRAINT hash_secret_only_row CHECK (only_row)
);
CREATE TABLE pricing.login (
    login_id bigint NOT NULL,
    user_id bigint NOT NULL,
    token_hash bytea NOT NULL,
    address text,
    created_at pricing.finite_time NOT NULL,
    used_at pricing.finite_time NOT NULL,
    expires_at pricing.finite_time NOT NULL
);
CREATE TABLE pricing.price_change (
    price_change_id bigint NOT NULL,
    product_id bigint NOT NULL,
    sequence bigint NOT NULL,
    old_price pricing.amount NOT NULL,
    new_price pricing.amount NOT NULL,
    stock integer NOT NULL,
    rule_id bigint NOT NULL,
    cause text NOT NULL,
    binding_guard text,
    inputs jsonb NOT NULL,
    order_id bigint,
    reason text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    at pricing.finite_time NOT NULL,
    transaction_id bigint NOT NULL,
    change_id bigint NOT NULL,
    old_regular pricing.amount,
    new_regular pricing.amount,
    CONSTRAINT price_change_moves CHECK (((old_price)::numeric <> (new_price)::numeric))
);
CREATE TABLE pricing.request_key (
    key text NOT NULL,
    request_hash bytea NOT NULL,
    reply text,
    order_id bigint,
    created_at pricing.finite_time DEFAULT now() NOT NULL,
    CONSTRAINT request_key_one_reply CHECK (((reply IS NULL) <> (order_id IS NULL)))
);
CREATE TABLE pricing.shop_prior (
    at pricing.finite_time NOT NULL,
    category_id bigint NOT NULL,
    products bigint NOT NULL,
    evidence pricing.finite_number NOT NULL,
    shift_rate pricing.finite_number NOT NULL,
    shift_elasticity pricing.finite_number NOT NULL,
    share pricing.finite_number NOT NULL,
    CONSTRAINT shop_prior_share_range CHECK ((((share)::double precision > (0)::double precision) AND ((share)::double precision < (1)::double precision))),
    CONSTRAINT shop_prior_shift_elasticity_range CHECK ((((shift_elasticity)::double precision >= ('-1.5'::numeric)::double precision) AND ((shift_elasticity)::double precision <= (1.5)::double precision))),
    CONSTRAINT shop_prior_shift_rate_range CHECK ((((shift_rate)::double precision >= ('-1.5'::numeric)::double precision) AND ((shift_rate)::double precision <= (1.5)::double precision)))
);
CREATE TABLE pricing.strategy (
    name text NOT NULL,
    summary text NOT NULL,
    basis text NOT NULL,
    learns boolean NOT NULL,
    awaits_goods boolean NOT NULL,
    charges_scarcity boolean NOT NULL,
    may_never_rise boolean NOT NULL,
    CONSTRAINT strategy_basis_known CHECK ((basis = ANY (ARRAY['base'::text, 'level'::text, 'demand'::text]))),
    CONSTRAINT strategy_facts_of_demand CHECK (((basis = 'demand'::text) OR (NOT (learns OR awaits_goods OR charges_scarcity))))
);
ALTER TABLE pricing.app_user ALTER COLUMN user_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.app_user_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pricing.audit_repair (
    audit_repair_id bigint NOT NULL,
    product_id bigint NOT NULL,
    kind text NOT NULL,
    field text NOT NULL,
    found text,
    corrected text,
    reason text NOT NULL,
    actor text NOT NULL,
    at pricing.finite_time NOT NULL
);
ALTER TABLE pricing.audit_repair ALTER COLUMN audit_repair_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.audit_repair_audit_repair_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pricing.automation_halt ALTER COLUMN halt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.automation_halt_halt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pricing.breaker_move (
    product_id bigint NOT NULL,
    was pricing.amount NOT NULL,
    since pricing.finite_time NOT NULL
);
CREATE TABLE pricing.breaker_state (
    only_row boolean DEFAULT true NOT NULL,
    last_sequence bigint DEFAULT 0 NOT NULL,
    CONSTRAINT breaker_state_only_row CHECK (only_row)
)
WITH (fillfactor='10');
ALTER TABLE pricing.campaign ALTER COLUMN campaign_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.campaign_campaign_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pricing.campaign_product (
    campaign_id bigint NOT NULL,
    product_id bigint NOT NULL,
    price pricing.amount,
    CONSTRAINT campaign_product_price_positive CHECK (((price)::numeric > (0)::numeric))
);
ALTER TABLE pricing.category ALTER COLUMN category_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.category_category_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE SEQUENCE pricing.change_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE pricing.customer_order ALTER COLUMN order_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.customer_order_order_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pricing.declaration_change (
    product_id bigint NOT NULL,
    sequence bigint NOT NULL,
    transaction_id bigint NOT NULL,
    change_id bigint NOT NULL,
    before jsonb,
    after jsonb NOT NULL,
    cause text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    at pricing.finite_time NOT NULL
);
CREATE TABLE pricing.event_range (
    first_number bigint NOT NULL,
    event_count integer NOT NULL,
    transaction_id bigint NOT NULL,
    first_change bigint NOT NULL,
    last_change bigint NOT NULL,
    at pricing.finite_time NOT NULL
)
PARTITION BY RANGE (first_number);
CREATE TABLE pricing.event_range_p0 (
    first_number bigint NOT NULL,
    event_count integer NOT NULL,
    transaction_id bigint NOT NULL,
    first_change bigint NOT NULL,
    last_change bigint NOT NULL,
    at pricing.finite_time NOT NULL
);
CREATE TABLE pricing.event_sequence (
    only_row boolean DEFAULT true NOT NULL,
    last_number bigint DEFAULT 0 NOT NULL,
    first_number bigint DEFAULT 1 NOT NULL,
    stream_id uuid DEFAULT gen_random_uuid() NOT NULL,
    looked_to bigint DEFAULT 0 NOT NULL,
    running bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    settled_change bigint DEFAULT 0 NOT NULL,
    CONSTRAINT event_sequence_only_row CHECK (only_row)
)
WITH (fillfactor='10');
ALTER TABLE pricing.expectation ALTER COLUMN expectation_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.expectation_expectation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pricing.failing_product (
    product_id bigint NOT NULL,
    kind text NOT NULL,
    rule_was bigint,
    rule_id bigint,
    sqlstate text NOT NULL,
    message text NOT NULL,
    failures integer NOT NULL,
    first_at pricing.finite_time NOT NULL,
    retry_at pricing.finite_time NOT NULL,
    real_retry_at pricing.finite_time NOT NULL
);
CREATE TABLE pricing.learner (
    product_id bigint NOT NULL,
    state pricing.finite_numbers,
    since pricing.finite_time NOT NULL,
    first_fold bigint NOT NULL,
    last_fold bigint NOT NULL,
    CONSTRAINT learner_folds_ordered CHECK ((first_fold <= last_fold))
)
WITH (fillfactor='80');
CREATE TABLE pricing.learner_fold (
    product_id bigint NOT NULL,
    number bigint NOT NULL,
    at pricing.finite_time NOT NULL,
    movement bigint NOT NULL,
    change bigint NOT NULL
);
CREATE TABLE pricing.login_attempt (
    subject bytea NOT NULL,
    at timestamp with time zone[] NOT NULL
);
ALTER TABLE pricing.login ALTER COLUMN login_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.login_login_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pricing.notice (
    transaction_id bigint NOT NULL,
    change_id bigint NOT NULL,
    at pricing.finite_time NOT NULL,
    topic pricing.event_topic NOT NULL,
    op text NOT NULL,
    product_id bigint,
    key bigint NOT NULL,
    before jsonb,
    after jsonb,
    cause jsonb NOT NULL,
    actor text NOT NULL
);
CREATE TABLE pricing.order_change (
    transaction_id bigint NOT NULL,
    change_id bigint NOT NULL,
    order_id bigint NOT NULL,
    old_status text NOT NULL,
    new_status text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    at pricing.finite_time NOT NULL
);
CREATE TABLE pricing.order_line (
    order_id bigint NOT NULL,
    product_id bigint NOT NULL,
    quantity pricing.sold_quantity NOT NULL,
    unit_price pricing.price_amount NOT NULL
);
CREATE TABLE pricing.order_return (
    order_id bigint NOT NULL,
    product_id bigint NOT NULL,
    change_id bigint NOT NULL,
    quantity pricing.sold_quantity NOT NULL,
    restocked boolean NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    at pricing.finite_time NOT NULL
);
CREATE TABLE pricing.past_season (
    product_id bigint NOT NULL,
    ended_at pricing.finite_time NOT NULL,
    state pricing.finite_numbers NOT NULL,
    base_price pricing.amount NOT NULL,
    elasticity pricing.finite_number NOT NULL
);
ALTER TABLE pricing.price_change ALTER COLUMN price_change_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.price_change_price_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pricing.product ALTER COLUMN product_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.product_product_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pricing.proposal ALTER COLUMN proposal_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.proposal_proposal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pricing.quote ALTER COLUMN quote_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.quote_quote_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pricing.rule ALTER COLUMN rule_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.rule_rule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pricing.schema_script (
    name text NOT NULL,
    kind text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE pricing.setting (
    name text NOT NULL,
    value jsonb NOT NULL,
    CONSTRAINT setting_event_days_whole CHECK (((name <> 'event_days'::text) OR COALESCE(((jsonb_typeof(value) = 'number'::text) AND (((value)::numeric >= (1)::numeric) AND ((value)::numeric <= (36500)::numeric)) AND (((value)::numeric % (1)::numeric) = (0)::numeric)), false)))
);
CREATE TABLE pricing.shelf (
    product_id bigint NOT NULL,
    price pricing.amount NOT NULL,
    level text,
    CONSTRAINT shelf_level_known CHECK ((level = ANY (ARRAY['LOW'::text, 'NORMAL'::text, 'HIGH'::text])))
)
WITH (fillfactor='90');
CREATE TABLE pricing.stock_movement (
    product_id bigint NOT NULL,
    sequence bigint NOT NULL,
    transaction_id bigint NOT NULL,
    change_id bigint NOT NULL,
    kind pricing.movement_kind NOT NULL,
    quantity pricing.moved_quantity NOT NULL,
    stock_after integer NOT NULL,
    order_id bigint,
    ends_order boolean DEFAULT false NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    at pricing.finite_time NOT NULL,
    CONSTRAINT stock_movement_ends_order CHECK (((NOT ends_order) OR (((kind)::text = 'sale'::text) AND (order_id IS NOT NULL))))
);
ALTER TABLE pricing.supplier ALTER COLUMN supplier_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pricing.supplier_supplier_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE pricing.tick_state (
    only_row boolean DEFAULT true NOT NULL,
    completed_at pricing.finite_time,
    CONSTRAINT tick_state_only_row CHECK (only_row)
)
WITH (fillfactor='10');
CREATE TABLE pricing.transaction_origin (
    only_row boolean DEFAULT true NOT NULL,
    system_identifier bigint DEFAULT 0 NOT NULL,
    offset_by bigint DEFAULT 0 NOT NULL,
    CONSTRAINT transaction_origin_only_row CHECK (only_row)
);
CREATE TABLE pricing.virtual_clock (
    only_row boolean DEFAULT true NOT NULL,
    at pricing.finite_time NOT NULL,
    CONSTRAINT virtual_clock_only_row CHECK (only_row)
);
CREATE VIEW pricing_code.event AS
 SELECT events_between.sequence,
    events_between.at,
    events_between.topic,
    events_between.op,
    events_between.product_id,
    events_between.order_id,
    events_between.key,
    events_between.before,
    events_between.after,
    events_between.cause,
    events_between.actor
   FROM pricing_code.events_between((0)::bigint, NULL::bigint, NULL::integer) events_between(sequence, at, topic, op, product_id, order_id, key, before, after, cause, actor);
CREATE VIEW pricing_code.ledger_change AS
 SELECT stock_movement.transaction_id,
    stock_movement.change_id,
    (1 + (stock_movement.ends_order)::integer) AS events,
    (stock_movement.at)::timestamp with time zone AS at
   FROM pricing.stock_movement
UNION ALL
 SELECT price_change.transaction_id,
    price_change.change_id,
    1 AS events,
    price_change.at
   FROM pricing.price_change
UNION ALL
 SELECT order_change.transaction_id,
    order_change.change_id,
    1 AS events,
    order_change.at
   FROM pricing.order_change
UNION ALL
 SELECT declaration_change.transaction_id,
    declaration_change.change_id,
    1 AS events,
    declaration_change.at
   FROM pricing.declaration_change
UNION ALL
 SELECT notice.transaction_id,
    notice.change_id,
    1 AS events,
    notice.at
   FROM pricing.notice;
CREATE VIEW pricing_code.recorded_event AS
 SELECT m.transaction_id,
    m.change_id,
    1 AS part,
    (m.at)::timestamp with time zone AS at,
    'stock'::text AS topic,
    'update'::text AS op,
    m.product_id,
    m.order_id,
    m.product_id AS key,
    (format('{"stock":%s}'::text, (m.stock_after -
        CASE
            WHEN pricing_code.is_hold((m.kind)::text) THEN 0
            ELSE (m.quantity)::integer
        END)))::json AS before,
    (
        CASE
            WHEN pricing_code.is_hold((m.kind)::text) THEN format('{"stock":%s,"heldChange":%s}'::text, m.stock_after, m.quantity)
            ELSE format('{"stock":%s}'::text, m.stock_after)
        END)::json AS after,
    pricing_code.event_cause((m.kind)::text, m.order_id) AS cause,
    m.actor
   FROM pricing.stock_movement m
UNION ALL
 SELECT c.transaction_id,
    c.change_id,
    2 AS part,
    c.at,
    'price'::text AS topic,
    'update'::text AS op,
    c.product_id,
    c.order_id,
    c.product_id AS key,
    (format('{"price":"%s"}'::text, c.old_price))::json AS before,
    ( SELECT (format('{"sku":%s,"price":"%s","stock":%s,"title":%s,"reason":%s}'::text, pricing_code.json_text(d.sku), c.new_price, c.stock, pricing_code.json_text(d.title), pricing_code.json_text(pricing_code.price_reason(c.cause, c.binding_guard, c.inputs, c.reason))))::json AS format
           FROM pricing.product d
          WHERE (d.product_id = c.product_id)) AS after,
    pricing_code.event_cause(c.cause, c.order_id) AS cause,
    c.actor
   FROM pricing.price_change c
UNION ALL
 SELECT m.transaction_id,
    m.change_id,
    3 AS part,
    o.placed_at AS at,
    'order'::text AS topic,
    'insert'::text AS op,
    NULL::bigint AS product_id,
    o.order_id,
    o.order_id AS key,
    NULL::json AS before,
    (format('{"lines":[%s],"total":"%s","status":"pending","customerId":%s}'::text, ( SELECT string_agg(format('{"sku":%s,"quantity":%s,"productId":%s,"unitPrice":"%s"}'::text, pricing_code.json_text(l.sku), l.quantity, l.product_id, l.unit_price), ','::text) AS string_agg
           FROM ( SELECT l_1.order_id,
                    l_1.product_id,
                    l_1.quantity,
                    l_1.unit_price,
                    d.sku
                   FROM (pricing.order_line l_1
                     JOIN pricing.product d USING (product_id))
                  WHERE (l_1.order_id = o.order_id)
                  ORDER BY l_1.product_id) l), o.total, o.customer_id))::json AS after,
    pricing_code.event_cause('sale'::text, o.order_id) AS cause,
    o.actor
   FROM (pricing.stock_movement m
     JOIN pricing.customer_order o USING (order_id))
  WHERE m.ends_order
UNION ALL
 SELECT c.transaction_id,
    c.change_id,
    4 AS part,
    c.at,
    'order'::text AS topic,
    'update'::text AS op,
    NULL::bigint AS product_id,
    c.order_id,
    c.order_id AS key,
    (format('{"status":"%s"}'::text, c.old_status))::json AS before,
    (format('{"total":"%s","status":"%s","customerId":%s}'::text, o.total, c.new_status, o.customer_id))::json AS after,
    pricing_code.event_cause(
        CASE
            WHEN (c.new_status = c.old_status) THEN 'return'::text
            ELSE c.new_status
        END, c.order_id, c.reason) AS cause,
    c.actor
   FROM (pricing.order_change c
     JOIN pricing.customer_order o USING (order_id))
UNION ALL
 SELECT declaration_change.transaction_id,
    declaration_change.change_id,
    6 AS part,
    declaration_change.at,
    'catalogue'::text AS topic,
        CASE
            WHEN (declaration_change.before IS NULL) THEN 'insert'::text
            ELSE 'update'::text
        END AS op,
    declaration_change.product_id,
    NULL::bigint AS order_id,
    declaration_change.product_id AS key,
    (pricing_code.wire_members(declaration_change.before))::json AS before,
    ((jsonb_build_object('productId', declaration_change.product_id) || pricing_code.wire_members(declaration_change.after)))::json AS after,
    pricing_code.event_cause(declaration_change.cause, NULL::bigint, declaration_change.reason) AS cause,
    declaration_change.actor
   FROM pricing.declaration_change
UNION ALL
 SELECT notice.transaction_id,
    notice.change_id,
    5 AS part,
    notice.at,
    notice.topic,
    notice.op,
    notice.product_id,
        CASE
            WHEN ((notice.topic)::text = 'order'::text) THEN notice.key
            ELSE ((notice.cause ->> 'orderId'::text))::bigint
        END AS order_id,
    notice.key,
    (notice.before)::json AS before,
    (notice.after)::json AS after,
    (notice.cause)::json AS cause,
    notice.actor
   FROM pricing.notice;
CREATE VIEW pricing_code.refund AS
 SELECT r.order_id,
    o.customer_id,
    o.placed_at,
    r.product_id,
    r.quantity AS units,
    ((r.quantity)::numeric * (l.unit_price)::numeric) AS amount
   FROM ((pricing.order_return r
     JOIN pricing.order_line l USING (order_id, product_id))
     JOIN pricing.customer_order o USING (order_id))
  WHERE pricing_code.counts_as_revenue((o.status)::text);
ALTER TABLE ONLY pricing.event_range ATTACH PARTITION pricing.event_range_p0 FOR VALUES FROM (MINVALUE) TO ('20000000');
ALTER TABLE ONLY pricing.app_user
    ADD CONSTRAINT app_user_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY pricing.audit_repair
    ADD CONSTRAINT audit_repair_pkey PRIMARY KEY (audit_repair_id);
ALTER TABLE ONLY pricing.automation_halt
    ADD CONSTRAINT automation_halt_pkey PRIMARY KEY (halt_id);
ALTER TABLE ONLY pricing.breaker_move
    ADD CONSTRAINT breaker_move_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY pricing.breaker_state
    ADD CONSTRAINT breaker_state_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY pricing.campaign
    ADD CONSTRAINT campaign_pkey PRIMARY KEY (campaign_id);
ALTER TABLE ONLY pricing.campaign_product
    ADD CONSTRAINT campaign_product_pkey PRIMARY KEY (campaign_id, product_id);
ALTER TABLE ONLY pricing.category
    ADD CONSTRAINT category_name_key UNIQUE (name);
ALTER TABLE ONLY pricing.category
    ADD CONSTRAINT category_pkey PRIMARY KEY (category_id);
ALTER TABLE ONLY pricing.customer_order
    ADD CONSTRAINT customer_order_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY pricing.declaration_change
    ADD CONSTRAINT declaration_change_pkey PRIMARY KEY (product_id, sequence);
ALTER TABLE ONLY pricing.event_range_p0
    ADD CONSTRAINT event_range_p0_pkey PRIMARY KEY (first_number);
ALTER TABLE ONLY pricing.event_sequence
    ADD CONSTRAINT event_sequence_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY pricing.expectation
    ADD CONSTRAINT expectation_pkey PRIMARY KEY (expectation_id);
ALTER TABLE ONLY pricing.failing_product
    ADD CONSTRAINT failing_product_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY pricing.hash_secret
    ADD CONSTRAINT hash_secret_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY pricing.inventory
    ADD CONSTRAINT inventory_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY pricing.learner_fold
    ADD CONSTRAINT learner_fold_pkey PRIMARY KEY (product_id, number);
ALTER TABLE ONLY pricing.learner
    ADD CONSTRAINT learner_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY pricing.login_attempt
    ADD CONSTRAINT login_attempt_pkey PRIMARY KEY (subject);
ALTER TABLE ONLY pricing.login
    ADD CONSTRAINT login_pkey PRIMARY KEY (login_id);
ALTER TABLE ONLY pricing.login
    ADD CONSTRAINT login_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY pricing.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (transaction_id, change_id);
ALTER TABLE ONLY pricing.order_change
    ADD CONSTRAINT order_change_pkey PRIMARY KEY (transaction_id, change_id);
ALTER TABLE ONLY pricing.order_line
    ADD CONSTRAINT order_line_pkey PRIMARY KEY (order_id, product_id);
ALTER TABLE ONLY pricing.order_return
    ADD CONSTRAINT order_return_pkey PRIMARY KEY (order_id, product_id, change_id);
ALTER TABLE ONLY pricing.past_season
    ADD CONSTRAINT past_season_pkey PRIMARY KEY (product_id, ended_at);
ALTER TABLE ONLY pricing.price_change
    ADD CONSTRAINT price_change_pkey PRIMARY KEY (price_change_id) INCLUDE (at, product_id, rule_id, cause, binding_guard, actor, old_price, new_price);
ALTER TABLE ONLY pricing.price_change
    ADD CONSTRAINT price_change_sequence_key UNIQUE (product_id, sequence);
ALTER TABLE ONLY pricing.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY pricing.proposal
    ADD CONSTRAINT proposal_pkey PRIMARY KEY (proposal_id);
ALTER TABLE ONLY pricing.quote_line
    ADD CONSTRAINT quote_line_pkey PRIMARY KEY (quote_id, product_id);
ALTER TABLE ONLY pricing.quote
    ADD CONSTRAINT quote_pkey PRIMARY KEY (quote_id);
ALTER TABLE ONLY pricing.request_key
    ADD CONSTRAINT request_key_pkey PRIMARY KEY (key);
ALTER TABLE ONLY pricing.rule
    ADD CONSTRAINT rule_name_version_key UNIQUE (name, version);
ALTER TABLE ONLY pricing.rule
    ADD CONSTRAINT rule_pkey PRIMARY KEY (rule_id);
ALTER TABLE ONLY pricing.schema_script
    ADD CONSTRAINT schema_script_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pricing.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pricing.shelf
    ADD CONSTRAINT shelf_pkey PRIMARY KEY (product_id);
ALTER TABLE ONLY pricing.shop_prior
    ADD CONSTRAINT shop_prior_pkey PRIMARY KEY (at, category_id);
ALTER TABLE ONLY pricing.stock_movement
    ADD CONSTRAINT stock_movement_pkey PRIMARY KEY (product_id, sequence);
ALTER TABLE ONLY pricing.strategy
    ADD CONSTRAINT strategy_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pricing.supplier
    ADD CONSTRAINT supplier_pkey PRIMARY KEY (supplier_id);
ALTER TABLE ONLY pricing.supplier
    ADD CONSTRAINT supplier_tax_number_key UNIQUE (tax_number);
ALTER TABLE ONLY pricing.tick_state
    ADD CONSTRAINT tick_state_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY pricing.transaction_origin
    ADD CONSTRAINT transaction_origin_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY pricing.virtual_clock
    ADD CONSTRAINT virtual_clock_pkey PRIMARY KEY (only_row);
CREATE UNIQUE INDEX app_user_email_key ON pricing.app_user USING btree (pricing.fold_case(email)) WHERE (archived_at IS NULL);
CREATE UNIQUE INDEX app_user_phone_number_key ON pricing.app_user USING btree (pricing.phone_key(phone_number)) WHERE (archived_at IS NULL);
CREATE INDEX app_user_role_index ON pricing.app_user USING btree (role, user_id) WHERE (archived_at IS NULL);
CREATE INDEX app_user_text_index ON pricing.app_user USING gin (search_text pricing.gin_trgm_ops);
CREATE INDEX audit_repair_product_index ON pricing.audit_repair USING btree (product_id);
CREATE UNIQUE INDEX automation_halt_open_index ON pricing.automation_halt USING btree (COALESCE(category_id, (0)::bigint), COALESCE(product_id, (0)::bigint)) WHERE (resumed_at IS NULL);
CREATE INDEX campaign_open_index ON pricing.campaign USING btree (campaign_id) WHERE ((status)::text <> 'ended'::text);
CREATE INDEX campaign_product_product_index ON pricing.campaign_product USING btree (product_id);
CREATE UNIQUE INDEX category_name_fold_key ON pricing.category USING btree (pricing.fold_case(name));
CREATE INDEX customer_order_customer_index ON pricing.customer_order USING btree (customer_id, order_id);
CREATE INDEX customer_order_placed_index ON pricing.customer_order USING brin (placed_at) WITH (autosummarize='on');
CREATE INDEX customer_order_status_index ON pricing.customer_order USING btree (status, order_id);
CREATE INDEX declaration_change_at_index ON pricing.declaration_change USING brin (at) WITH (autosummarize='on');
CREATE INDEX declaration_change_change_index ON pricing.declaration_change USING btree (change_id);
CREATE INDEX declaration_change_transaction_index ON pricing.declaration_change USING btree (transaction_id, change_id);
CREATE INDEX expectation_open_index ON pricing.expectation USING btree (product_id, eta) WHERE (closed_at IS NULL);
CREATE INDEX inventory_pinned_index ON pricing.inventory USING btree (product_id) WHERE (pin_price IS NOT NULL);
CREATE INDEX login_user_index ON pricing.login USING btree (user_id, login_id);
CREATE INDEX notice_change_index ON pricing.notice USING btree (change_id);
CREATE INDEX notice_product_index ON pricing.notice USING btree (product_id, change_id) WHERE (product_id IS NOT NULL);
CREATE INDEX order_line_product_index ON pricing.order_line USING btree (product_id);
CREATE INDEX price_change_at_index ON pricing.price_change USING brin (at) WITH (autosummarize='on');
CREATE INDEX price_change_order_index ON pricing.price_change USING btree (order_id) WHERE (order_id IS NOT NULL);
CREATE INDEX price_change_transaction_index ON pricing.price_change USING btree (transaction_id, change_id);
CREATE INDEX product_category_index ON pricing.product USING btree (category_id, product_id);
CREATE INDEX product_rule_index ON pricing.product USING btree (rule_id);
CREATE UNIQUE INDEX product_sku_key ON pricing.product USING btree (pricing.fold_case(sku));
CREATE INDEX product_supplier_index ON pricing.product USING btree (supplier_id);
CREATE INDEX product_text_index ON pricing.product USING gin (search_text pricing.gin_trgm_ops);
CREATE INDEX product_title_index ON pricing.product USING btree (title COLLATE "und-x-icu", product_id);
CREATE INDEX product_unlisted_index ON pricing.product USING btree (product_id) WHERE ((NOT active) OR (archived_at IS NOT NULL));
CREATE INDEX proposal_open_index ON pricing.proposal USING btree (proposal_id) WHERE ((status)::text = 'open'::text);
CREATE INDEX proposal_product_index ON pricing.proposal USING btree (product_id, proposal_id);
CREATE UNIQUE INDEX proposal_standing_key ON pricing.proposal USING btree (product_id) WHERE stands;
CREATE INDEX quote_customer_index ON pricing.quote USING btree (customer_id, quote_id);
CREATE INDEX quote_line_product_index ON pricing.quote_line USING btree (product_id, quote_id);
CREATE INDEX quote_open_index ON pricing.quote USING btree (expires_at) WHERE ((status)::text = 'open'::text);
CREATE INDEX request_key_created_index ON pricing.request_key USING btree (created_at);
CREATE UNIQUE INDEX rule_one_active_version ON pricing.rule USING btree (name) WHERE (status = 'active'::text);
CREATE INDEX shelf_level_index ON pricing.shelf USING btree (level, product_id);
CREATE INDEX shelf_price_index ON pricing.shelf USING btree (price, product_id);
CREATE INDEX shop_prior_shop_index ON pricing.shop_prior USING btree (at) WHERE (category_id = 0);
CREATE INDEX stock_movement_transaction_index ON pricing.stock_movement USING btree (transaction_id, change_id);
CREATE INDEX supplier_company_name_index ON pricing.supplier USING btree (pricing.fold_case(company_name));
CREATE UNIQUE INDEX supplier_tax_number_fold_key ON pricing.supplier USING btree (pricing.fold_case(tax_number));
CREATE TRIGGER app_user_born BEFORE INSERT ON pricing.app_user FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_row_born();
CREATE TRIGGER app_user_name_clean BEFORE INSERT OR UPDATE OF full_name, email, phone_number ON pricing.app_user FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_user_names();
CREATE TRIGGER audit_repair_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.audit_repair FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER automation_halt_ended AFTER UPDATE OF resumed_at ON pricing.automation_halt FOR EACH ROW WHEN (((old.resumed_at IS NULL) AND (new.resumed_at IS NOT NULL))) EXECUTE FUNCTION pricing_code.tg_halt_record();
CREATE TRIGGER automation_halt_made AFTER INSERT ON pricing.automation_halt FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_halt_record();
CREATE TRIGGER automation_halt_name_clean BEFORE INSERT OR UPDATE OF resume_reason ON pricing.automation_halt FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_halt_reason();
CREATE TRIGGER campaign_born BEFORE INSERT ON pricing.campaign FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_row_born();
CREATE TRIGGER campaign_keep BEFORE INSERT OR UPDATE ON pricing.campaign FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_campaign_keep();
CREATE TRIGGER campaign_kept BEFORE DELETE OR TRUNCATE ON pricing.campaign FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER campaign_made AFTER INSERT ON pricing.campaign FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_campaign_made();
CREATE TRIGGER campaign_product_add AFTER INSERT ON pricing.campaign_product FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_campaign_product_add();
CREATE TRIGGER campaign_product_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.campaign_product FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER category_name_clean BEFORE INSERT OR UPDATE OF name ON pricing.category FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_category_name();
CREATE TRIGGER category_record AFTER INSERT OR DELETE OR UPDATE ON pricing.category FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_category_record();
CREATE TRIGGER customer_order_leave AFTER UPDATE OF status ON pricing.customer_order FOR EACH ROW WHEN ((((old.status)::text = 'processing'::text) AND ((new.status)::text = 'completed'::text))) EXECUTE FUNCTION pricing_code.tg_order_leave();
CREATE TRIGGER customer_order_move BEFORE UPDATE OF status ON pricing.customer_order FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_order_move();
CREATE TRIGGER declaration_change_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.declaration_change FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER expectation_price AFTER INSERT OR DELETE OR UPDATE ON pricing.expectation FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_expectation_price();
CREATE TRIGGER inventory_guard BEFORE UPDATE OF product_id, regular_price, campaign_percent, campaign_price, band, anchor_price, anchor_date, ticked_at, opening_price, movement_count, change_count, last_restock_at, opening_is_final, elasticity_now, rate_now, changed_at, stands_from, stands_to, unshipped, awaits_approval ON pricing.inventory FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_inventory_guard();
CREATE TRIGGER inventory_move BEFORE UPDATE OF stock, held, price, pin_price, pinned_until, learning_since, opening_rate, next_eta, cause, ends_order, sales ON pricing.inventory FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_inventory_move();
CREATE TRIGGER inventory_no_delete BEFORE DELETE ON pricing.inventory FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_inventory_no_delete();
CREATE TRIGGER inventory_open BEFORE INSERT ON pricing.inventory FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_inventory_open();
CREATE TRIGGER login_ended AFTER DELETE ON pricing.login FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_login_ended();
CREATE TRIGGER notice_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.notice FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER order_change_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.order_change FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER order_return_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.order_return FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER order_return_take BEFORE INSERT ON pricing.order_return FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_order_return_take();
CREATE TRIGGER price_change_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.price_change FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER product_archive_expectations AFTER UPDATE OF archived_at ON pricing.product FOR EACH ROW WHEN (((old.archived_at IS NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION pricing_code.tg_product_stop_waiting();
CREATE TRIGGER product_born BEFORE INSERT ON pricing.product FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_row_born();
CREATE TRIGGER product_change_record AFTER INSERT OR UPDATE ON pricing.product FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_product_record();
CREATE TRIGGER product_declare AFTER UPDATE ON pricing.product FOR EACH ROW WHEN ((((((((((((((((((old.base_price)::numeric IS DISTINCT FROM (new.base_price)::numeric) OR ((old.unit_cost)::numeric IS DISTINCT FROM (new.unit_cost)::numeric)) OR ((old.floor_price)::numeric IS DISTINCT FROM (new.floor_price)::numeric)) OR ((old.ceiling_price)::numeric IS DISTINCT FROM (new.ceiling_price)::numeric)) OR (old.low_stock IS DISTINCT FROM new.low_stock)) OR (old.high_stock IS DISTINCT FROM new.high_stock)) OR (old.rule_id IS DISTINCT FROM new.rule_id)) OR (old.category_id IS DISTINCT FROM new.category_id)) OR ((old.archived_at)::timestamp with time zone IS DISTINCT FROM (new.archived_at)::timestamp with time zone)) OR (old.elasticity IS DISTINCT FROM new.elasticity)) OR (old.ref_rate IS DISTINCT FROM new.ref_rate)) OR ((old.unit_value)::numeric IS DISTINCT FROM (new.unit_value)::numeric)) OR (old.decay IS DISTINCT FROM new.decay)) OR ((old.season_start)::timestamp with time zone IS DISTINCT FROM (new.season_start)::timestamp with time zone)) OR ((old.season_end)::timestamp with time zone IS DISTINCT FROM (new.season_end)::timestamp with time zone)) OR (old.season_profile IS DISTINCT FROM new.season_profile))) EXECUTE FUNCTION pricing_code.tg_product_declare();
CREATE TRIGGER product_limits BEFORE INSERT OR UPDATE ON pricing.product FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_product_limits();
CREATE TRIGGER product_make BEFORE INSERT ON pricing.product FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_product_make();
CREATE TRIGGER product_name_clean BEFORE INSERT OR UPDATE OF title, sku ON pricing.product FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_product_names();
CREATE TRIGGER product_open AFTER INSERT ON pricing.product FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_product_declare();
CREATE TRIGGER product_regroup BEFORE UPDATE OF category_id, archived_at ON pricing.product FOR EACH ROW WHEN (((old.category_id IS DISTINCT FROM new.category_id) OR ((old.archived_at)::timestamp with time zone IS DISTINCT FROM (new.archived_at)::timestamp with time zone))) EXECUTE FUNCTION pricing_code.tg_product_make();
CREATE TRIGGER product_version BEFORE UPDATE ON pricing.product FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_product_version();
CREATE TRIGGER proposal_keep BEFORE UPDATE ON pricing.proposal FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_proposal_keep();
CREATE TRIGGER proposal_kept BEFORE DELETE OR TRUNCATE ON pricing.proposal FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER proposal_made AFTER INSERT ON pricing.proposal FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_proposal_record();
CREATE TRIGGER proposal_moved AFTER UPDATE ON pricing.proposal FOR EACH ROW WHEN ((((((old.status)::text IS DISTINCT FROM (new.status)::text) OR ((old.old_price)::numeric IS DISTINCT FROM (new.old_price)::numeric)) OR ((old.new_price)::numeric IS DISTINCT FROM (new.new_price)::numeric)) OR (old.rule_id IS DISTINCT FROM new.rule_id))) EXECUTE FUNCTION pricing_code.tg_proposal_record();
CREATE TRIGGER quote_close AFTER UPDATE OF status ON pricing.quote FOR EACH ROW WHEN (((new.status)::text <> 'open'::text)) EXECUTE FUNCTION pricing_code.tg_quote_close();
CREATE TRIGGER quote_keep BEFORE INSERT OR UPDATE ON pricing.quote FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_quote_keep();
CREATE TRIGGER quote_kept BEFORE DELETE OR TRUNCATE ON pricing.quote FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER quote_line_hold AFTER INSERT ON pricing.quote_line FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_quote_line_hold();
CREATE TRIGGER quote_line_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.quote_line FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER rule_born BEFORE INSERT ON pricing.rule FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_row_born();
CREATE TRIGGER rule_keep BEFORE UPDATE ON pricing.rule FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_rule_keep();
CREATE TRIGGER rule_made AFTER INSERT ON pricing.rule FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_rule_record();
CREATE TRIGGER rule_moved AFTER UPDATE OF status ON pricing.rule FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION pricing_code.tg_rule_record();
CREATE TRIGGER rule_name_clean BEFORE INSERT ON pricing.rule FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_rule_name();
CREATE TRIGGER rule_never_up BEFORE INSERT ON pricing.rule FOR EACH ROW WHEN (new.never_up) EXECUTE FUNCTION pricing_code.tg_rule_never_up();
CREATE TRIGGER setting_time_zone BEFORE INSERT OR UPDATE ON pricing.setting FOR EACH ROW WHEN ((new.name = 'time_zone'::text)) EXECUTE FUNCTION pricing_code.tg_setting_check();
CREATE TRIGGER stock_movement_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pricing.stock_movement FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_history_append_only();
CREATE TRIGGER strategy_keep BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON pricing.strategy FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_strategy_keep();
CREATE TRIGGER supplier_born BEFORE INSERT ON pricing.supplier FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_row_born();
CREATE TRIGGER supplier_name_clean BEFORE INSERT OR UPDATE OF company_name, contact_email, tax_number ON pricing.supplier FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_supplier_names();
CREATE TRIGGER user_ends_logins AFTER UPDATE OF password_hash, role, archived_at ON pricing.app_user FOR EACH ROW WHEN ((((old.password_hash IS DISTINCT FROM new.password_hash) OR (old.role IS DISTINCT FROM new.role)) OR ((old.archived_at)::timestamp with time zone IS DISTINCT FROM (new.archived_at)::timestamp with time zone))) EXECUTE FUNCTION pricing_code.tg_user_ends_logins();
CREATE TRIGGER user_no_delete BEFORE DELETE ON pricing.app_user FOR EACH STATEMENT EXECUTE FUNCTION pricing_code.tg_user_no_delete();
CREATE CONSTRAINT TRIGGER virtual_clock_sandbox AFTER INSERT OR UPDATE ON pricing.virtual_clock DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pricing_code.tg_virtual_clock_sandbox();
ALTER TABLE ONLY pricing.automation_halt
    ADD CONSTRAINT automation_halt_category_fkey FOREIGN KEY (category_id) REFERENCES pricing.category(category_id);
ALTER TABLE ONLY pricing.automation_halt
    ADD CONSTRAINT automation_halt_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
ALTER TABLE ONLY pricing.campaign
    ADD CONSTRAINT campaign_category_fkey FOREIGN KEY (category_id) REFERENCES pricing.category(category_id);
ALTER TABLE ONLY pricing.campaign_product
    ADD CONSTRAINT campaign_product_campaign_fkey FOREIGN KEY (campaign_id) REFERENCES pricing.campaign(campaign_id);
ALTER TABLE ONLY pricing.campaign_product
    ADD CONSTRAINT campaign_product_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
ALTER TABLE ONLY pricing.expectation
    ADD CONSTRAINT expectation_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
ALTER TABLE ONLY pricing.inventory
    ADD CONSTRAINT inventory_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
ALTER TABLE ONLY pricing.learner
    ADD CONSTRAINT learner_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
ALTER TABLE ONLY pricing.login
    ADD CONSTRAINT login_user_fkey FOREIGN KEY (user_id) REFERENCES pricing.app_user(user_id);
ALTER TABLE ONLY pricing.past_season
    ADD CONSTRAINT past_season_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
ALTER TABLE ONLY pricing.price_change
    ADD CONSTRAINT price_change_rule_fkey FOREIGN KEY (rule_id) REFERENCES pricing.rule(rule_id);
ALTER TABLE ONLY pricing.product
    ADD CONSTRAINT product_category_fkey FOREIGN KEY (category_id) REFERENCES pricing.category(category_id);
ALTER TABLE ONLY pricing.product
    ADD CONSTRAINT product_rule_fkey FOREIGN KEY (rule_id) REFERENCES pricing.rule(rule_id);
ALTER TABLE ONLY pricing.product
    ADD CONSTRAINT product_supplier_fkey FOREIGN KEY (supplier_id) REFERENCES pricing.supplier(supplier_id);
ALTER TABLE ONLY pricing.proposal
    ADD CONSTRAINT proposal_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
ALTER TABLE ONLY pricing.proposal
    ADD CONSTRAINT proposal_rule_fkey FOREIGN KEY (rule_id) REFERENCES pricing.rule(rule_id);
ALTER TABLE ONLY pricing.quote_line
    ADD CONSTRAINT quote_line_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
ALTER TABLE ONLY pricing.quote_line
    ADD CONSTRAINT quote_line_quote_fkey FOREIGN KEY (quote_id) REFERENCES pricing.quote(quote_id);
ALTER TABLE ONLY pricing.rule
    ADD CONSTRAINT rule_strategy_fkey FOREIGN KEY (strategy) REFERENCES pricing.strategy(name);
ALTER TABLE ONLY pricing.shelf
    ADD CONSTRAINT shelf_product_fkey FOREIGN KEY (product_id) REFERENCES pricing.product(product_id);
