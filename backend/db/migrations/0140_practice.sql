-- 演练县 (N20): invented counties in a schema of their own, for training, demonstrations and back-tests. Nothing here
-- is about a real person, nothing refers to a table outside, and the application may only read: a county is loaded,
-- restored and wiped by the owner (`./xiaodai seed --county`). One partition per county and table, so wiping is a
-- drop and a county that is half loaded is not there.
create schema practice;

create table practice.counties (
    county text primary key check (county ~ '^[0-9]{2}$'),  -- first two digits of its ID numbers; no province's
    name text not null unique,
    seed bigint not null,
    households integer not null check (households > 0),
    people integer not null,
    as_of_on date not null,
    plan jsonb not null,                 -- all a county is computed from
    checks jsonb not null,               -- the totals of A10 against what came out
    loaded_at timestamptz not null
);
select xd.share('practice.counties');

create table practice.villages (
    county text not null,
    village integer not null,
    name text not null,
    town integer not null,
    town_name text not null,
    primary key (county, village)
) partition by list (county);

create table practice.officers (
    county text not null,
    officer integer not null,
    staff_no text not null,
    name text not null,
    households integer not null check (households between 1 and 1500),  -- A10-06
    since_on date not null,
    primary key (county, officer)
) partition by list (county);

create table practice.households (
    county text not null,
    household integer not null,
    village integer not null,
    officer integer not null,
    house_no smallint not null,
    members smallint not null,
    years_resident smallint not null,
    rating text not null,
    land_tenths integer not null,        -- tenths of a mu
    income_fen bigint not null,
    primary key (county, household)
) partition by list (county);
create index on practice.households (county, officer);
create index on practice.households (county, village);

create table practice.people (
    county text not null,
    household integer not null,
    slot smallint not null,              -- 0 is the head
    id_number text not null,
    name text not null,
    sex text not null,
    born_on date not null,
    relation text not null,
    occupation text not null,
    phone text not null,                 -- begins 100, as no mobile number does
    primary key (county, household, slot)
) partition by list (county);
create unique index on practice.people (county, id_number);

create table practice.harvests (
    county text not null,
    household integer not null,
    year smallint not null,
    crop text not null,
    area_tenths integer not null,
    kg integer not null,
    revenue_fen bigint not null,
    primary key (county, household, year, crop)
) partition by list (county);

create table practice.incomes (
    county text not null,
    household integer not null,
    slot smallint not null,
    source text not null,
    year_fen bigint not null,
    primary key (county, household, slot, source)
) partition by list (county);

create table practice.accounts (
    county text not null,
    household integer not null,
    kind text not null,                  -- demand | certificate | wealth
    opened_on date not null,
    balance_fen bigint not null,
    primary key (county, household, kind)
) partition by list (county);

create table practice.payroll (
    county text not null,
    household integer not null,
    months smallint not null,
    employer text not null,
    average_fen bigint not null,
    primary key (county, household)
) partition by list (county);

create table practice.social_security (
    county text not null,
    household integer not null,
    months smallint not null,
    base_fen bigint not null,
    primary key (county, household)
) partition by list (county);

create table practice.housing_fund (
    county text not null,
    household integer not null,
    months smallint not null,
    base_fen bigint not null,
    primary key (county, household)
) partition by list (county);

create table practice.taxes (
    county text not null,
    household integer not null,
    year_fen bigint not null,
    primary key (county, household)
) partition by list (county);

create table practice.pos (
    county text not null,
    household integer not null,
    months smallint not null,
    year_fen bigint not null,
    primary key (county, household)
) partition by list (county);

create table practice.credit_lines (
    county text not null,
    household integer not null,
    granted_fen bigint not null check (granted_fen between 1 and 30000000),  -- A10-02
    used_fen bigint not null check (used_fen between 0 and granted_fen),
    annual_rate_bp integer not null,
    opened_on date not null,
    primary key (county, household)
) partition by list (county);

create table practice.loans (
    county text not null,
    household integer not null,
    seq smallint not null,
    kind text not null,                  -- line | certificate (存单贷)
    opened_on date not null,
    amount_fen bigint not null,
    balance_fen bigint not null,
    days_past_due smallint not null,
    history text not null check (history ~ '^[*N1-7]{24}$'),  -- 24 months, oldest first, as the bureau prints them
    primary key (county, household, seq)
) partition by list (county);

create table practice.guarantees (
    county text not null,
    household integer not null,          -- whose loan it is
    surety integer not null,             -- the household that answers for it
    amount_fen bigint not null,
    primary key (county, household),
    check (household <> surety)
) partition by list (county);

create table practice.ring_members (
    county text not null,
    household integer not null,
    ring integer not null,
    kind text not null,                  -- impersonation | stacking | paid_helper
    role text not null,                  -- behind | member
    primary key (county, household)
) partition by list (county);

create table practice.contacts (
    county text not null,
    household integer not null,
    phone text not null,
    device text not null,
    payee text not null,
    place text not null,
    openid text not null,
    primary key (county, household)
) partition by list (county);

-- One application per household by the catalogue's names, and how it ended: training and back-tests.
create table practice.facts (
    county text not null,
    household integer not null,
    village integer not null,
    town integer not null,
    sex text not null,
    birth_on date not null,
    education text not null,
    id_expires_on date not null,
    blocklist_hit text not null,
    court_enforcement boolean not null,
    student_signal boolean not null,
    household_members smallint not null,
    household_years_resident smallint not null,
    household_rating text not null,
    household_debt bigint not null,
    core_payroll_months smallint not null,
    core_payroll_average bigint not null,
    social_security_months_24m smallint not null,
    housing_fund_months smallint not null,
    housing_fund_base bigint not null,
    core_known boolean not null,
    core_relationship_months smallint not null,
    core_deposit_average_6m bigint not null,
    core_wealth_balance bigint not null,
    core_inflow_12m bigint not null,
    core_inflow_months_12m smallint not null,
    core_loan_overdue_days smallint not null,
    core_internet_credit_granted bigint not null,
    core_account_frozen boolean not null,
    core_related_party boolean not null,
    bureau_found boolean not null,
    bureau_history_months smallint not null,
    bureau_queries_1m smallint not null,
    bureau_queries_6m smallint not null,
    bureau_overdue_amount bigint not null,
    bureau_overdue_months_24m smallint not null,
    bureau_worst_overdue_24m smallint not null,
    bureau_written_off boolean not null,
    bureau_lenders_open smallint not null,
    bureau_balance bigint not null,
    bureau_monthly_repayment bigint not null,
    bureau_card_limit bigint not null,
    bureau_card_used bigint not null,
    bureau_guarantee_balance bigint not null,
    bureau_internet_consumer_credit bigint not null,
    in_service_area boolean not null,
    requested_amount bigint not null,
    requested_term_months smallint not null,
    purpose text not null,
    declared_annual_income bigint not null,
    occupation text not null,
    device_customers_30d smallint not null,
    person_applications_30d smallint not null,
    address_applications_90d smallint not null,
    own_promised_credit bigint not null,
    identity_match text not null,
    phone_match text not null,
    liveness_result text not null,
    granted_fen bigint not null,
    annual_rate_bp integer not null,
    defaulted smallint not null,         -- 1: 90 days past due within a year
    primary key (county, household)
) partition by list (county);

-- What post-loan monitoring saw a quarter before the end was known (A6-06), by the catalogue's names.
create table practice.signals (
    county text not null,
    household integer not null,
    loan_days_past_due smallint not null,
    loan_overdue_times_6m smallint not null,
    loan_inflow_change_bp integer not null,
    loan_deposit_change_bp integer not null,
    loan_new_lenders_3m smallint not null,
    loan_court_case boolean not null,
    loan_guarantor_overdue boolean not null,
    loan_misuse text not null,
    loan_contact_lost boolean not null,
    primary key (county, household)
) partition by list (county);

create function practice.tables() returns setof regclass language sql stable as $$
    select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'practice' and c.relkind = 'p' order by c.relname
$$;

-- Forget a county: its partitions, also those a broken load left behind.
create function practice.drop_county(code text) returns void language plpgsql as $$
declare
    one regclass;
begin
    if code !~ '^[0-9]{2}$' then raise exception 'not a county: %', code; end if;
    for one in select practice.tables() loop
        execute format('drop table if exists %s', one::text || '_' || code);
    end loop;
    delete from practice.counties c where c.county = code;
end $$;

-- Empty tables to load a county into; nobody sees them until `close_county`.
create function practice.open_county(code text) returns void language plpgsql as $$
declare
    one regclass;
begin
    perform practice.drop_county(code);
    for one in select practice.tables() loop
        execute format('create table %s (like %s including defaults including constraints)',
            one::text || '_' || code, one::text);
        execute format('alter table %s alter column county set default %L', one::text || '_' || code, code);
    end loop;
end $$;

-- Keys, indexes, and from the commit on the county is there as a whole.
create function practice.close_county(code text) returns void language plpgsql as $$
declare
    one regclass;
begin
    for one in select practice.tables() loop
        execute format('alter table %s attach partition %s for values in (%L)',
            one::text, one::text || '_' || code, code);
        execute format('analyze %s', one::text || '_' || code);
    end loop;
end $$;

revoke execute on function practice.drop_county(text), practice.open_county(text), practice.close_county(text)
    from public;

do $$
declare
    one regclass;
begin
    for one in select practice.tables() loop
        perform xd.share(one);
    end loop;
end $$;
