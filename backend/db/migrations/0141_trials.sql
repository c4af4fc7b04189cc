create schema trials;

-- 回测: a draft tried on past cases or on a practice county, and what it measured (issue section 6, A3-33, A9-09).
create table trials.runs (
    institution_id text not null,
    id uuid not null,
    kind text not null check (kind in ('county', 'history')),
    stage text not null,                 -- '' for a decision; early_warning
    status text not null check (status in ('waiting', 'running', 'done', 'cancelled', 'failed')),
    strategy text not null,              -- what was tried, as people call it
    against text not null,               -- what it is held against; '' for nothing
    county text not null,                -- digits of the practice county; '' for a history
    county_name text not null,
    plan jsonb not null,                 -- the versions and what stands around a case: enough to go on after a crash
    cases_total integer not null check (cases_total > 0),
    cases_done integer not null default 0 check (cases_done between 0 and cases_total),
    cursor text not null default '',     -- where the next step begins
    cancel_asked boolean not null default false,
    pairs integer not null default 0,    -- like pairs whose price was compared (D3-03)
    pairs_differing integer not null default 0,
    worst_gap_bp integer not null default 0,
    error text not null default '',
    asked_by text not null,
    asked_at timestamptz not null,
    ended_at timestamptz,
    primary key (institution_id, id)
);
create index on trials.runs (institution_id, asked_at desc);
select xd.protect('trials.runs');
select xd.obey_lifecycle('trials.runs', 'trial');
insert into xd.lifecycle (name, from_status, to_status) values
    ('trial', 'waiting', 'running'),
    ('trial', 'waiting', 'cancelled'),
    ('trial', 'running', 'done'),
    ('trial', 'running', 'cancelled'),
    ('trial', 'running', 'failed');

-- Sums by group and side; a step adds its own to what is there.
create table trials.results (
    institution_id text not null,
    run_id uuid not null,
    grouping_name text not null,
    member text not null,
    side text not null check (side in ('draft', 'base', 'swap_in', 'swap_out')),
    cases bigint not null,
    approved bigint not null,
    referred bigint not null,
    declined bigint not null,
    amount_fen bigint not null,
    rate_amount numeric not null,        -- sum of amount in fen × rate in basis points
    loss_fen bigint not null,
    matured bigint not null,
    bad bigint not null,
    primary key (institution_id, run_id, grouping_name, member, side),
    foreign key (institution_id, run_id) references trials.runs
);
select xd.protect('trials.results');
