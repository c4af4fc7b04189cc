create schema relations;

-- What can be shared between people (A6-01, N9). A key with more customers than `hub_above` is a hub: a branch's
-- wireless network, a village committee's address. It is still counted, and joins nobody to anybody.
create table relations.kinds (
    kind text primary key,
    label text not null,
    hub_above integer not null,
    connects boolean not null,           -- whether sharing it makes two people one component
    position integer not null
);
insert into relations.kinds values
    ('household', '家庭', 12, true, 1),
    ('address', '住址', 12, true, 2),
    ('phone', '手机号', 6, true, 3),
    ('openid', '微信号', 10, true, 4),
    ('device', '浏览器', 10, true, 5),
    ('payee', '收款账户', 20, true, 6),
    ('guarantor', '保证人', 12, true, 7),
    ('network', '上网的地方', 0, false, 8),
    ('person', '本人', 0, false, 9),
    ('id_number', '身份证号', 0, false, 10);
select xd.share('relations.kinds');

-- 频次: one row per application and key that came up in it, numbered in the order of commits of one institution,
-- so that a count is the same now and years later, and exact when many hand in at once. Keys are blind indexes.
create table relations.sightings (
    institution_id text not null,
    seq bigint generated always as identity,
    application_id uuid not null,
    kind text not null references relations.kinds,
    key bytea not null,
    customer_id uuid not null,
    at timestamptz not null,
    primary key (institution_id, application_id, kind, key),
    foreign key (institution_id, application_id) references applications.applications
);
create index sightings_by_key on relations.sightings (institution_id, kind, key, at desc)
    include (customer_id, seq, application_id);
create index sightings_by_age on relations.sightings (institution_id, at);
select xd.protect('relations.sightings');
revoke update on relations.sightings from xiaodai_app;   -- seen is seen; only age takes it away

-- One thing that people may share, and how many customers do.
create table relations.nodes (
    institution_id text not null,
    kind text not null references relations.kinds,
    key bytea not null,
    customers integer not null check (customers >= 0),
    allowed boolean not null default false,  -- on an allow list: known to be shared, joins nobody
    primary key (institution_id, kind, key)
);
create index nodes_shared on relations.nodes (institution_id, kind, customers) where customers > 1;
select xd.protect('relations.nodes');

-- Who uses or owns it, seen from when to when, in which kind of event.
create table relations.edges (
    institution_id text not null,
    customer_id uuid not null,
    kind text not null,
    key bytea not null,
    role text not null check (role in ('own', 'used')),
    source text not null check (source in ('application', 'phone', 'binding', 'guarantee', 'draw', 'roster')),
    application_id uuid,
    first_at timestamptz not null,
    last_at timestamptz not null,
    times integer not null default 1,
    primary key (institution_id, customer_id, kind, key)
);
create index edges_by_node on relations.edges (institution_id, kind, key, first_at desc)
    include (customer_id, role, application_id);
create index edges_by_age on relations.edges (institution_id, last_at);
select xd.protect('relations.edges');

-- Where a customer stands: `component` is the smallest customer id among all who hang together, `household` the
-- key of the home they share with others, null when none is known. Kept up to date by connect(), proved nightly.
create table relations.members (
    institution_id text not null,
    customer_id uuid not null,
    component uuid not null,
    household bytea,
    primary key (institution_id, customer_id)
);
create index members_by_component on relations.members (institution_id, component) include (customer_id, household);
create index members_by_household on relations.members (institution_id, household) where household is not null;
select xd.protect('relations.members');

-- 名单: who must be stopped, looked at, or is known to be harmless; the institution 0000 writes for the whole union.
create table relations.list_entries (
    institution_id text not null,
    id uuid not null,
    list text not null check (list in ('block', 'watch', 'allow', 'staff')),
    kind text not null references relations.kinds,
    key bytea not null,
    shown bytea not null,                -- sealed: what the key was made from
    reason bytea not null,               -- sealed
    source text not null,
    status text not null default 'proposed',
        -- proposed -> active or refused by another person; active -> ended
    made_by text not null,
    made_at timestamptz not null,
    checked_by text,
    checked_at timestamptz,
    expires_on date not null,            -- last day
    ended_by text,
    ended_at timestamptz,
    primary key (institution_id, id),
    check (checked_by <> made_by),
    check ((status = 'proposed') = (checked_by is null)),
    check ((status = 'ended') = (ended_at is not null)),
    -- A person is stopped by their ID number only, and nobody is ever let through by a list.
    check (list <> 'allow' or kind not in ('id_number', 'person', 'guarantor'))
);
create unique index one_entry_per_key on relations.list_entries (institution_id, list, kind, key)
    where status in ('proposed', 'active');
create index list_entries_by_key on relations.list_entries (kind, key) where status = 'active';
select xd.protect('relations.list_entries');
create policy union_reads on relations.list_entries for select
    using (institution_id = '0000' and xd.institution() is not null);
insert into xd.lifecycle values
    ('list_entry', 'proposed', 'active'), ('list_entry', 'proposed', 'refused'), ('list_entry', 'active', 'ended');
select xd.obey_lifecycle('relations.list_entries', 'list_entry');

-- What the nightly look over everything found, until a person has said what it was.
create table relations.findings (
    institution_id text not null,
    id uuid not null,
    code text not null,
    kind text not null references relations.kinds,
    key bytea not null,
    customer_id uuid not null,           -- where the picture begins
    customers integer not null,
    households integer not null,
    since timestamptz not null,
    status text not null default 'open',
        -- open -> in_hand -> confirmed or false_alarm
    raised_at timestamptz not null,
    owner text,
    owned_at timestamptz,
    said bytea,                          -- sealed: what the owner found
    answered_at timestamptz,
    primary key (institution_id, id),
    check ((status = 'open') = (owner is null)),
    check ((status in ('confirmed', 'false_alarm')) = (answered_at is not null and said is not null))
);
create unique index one_open_finding on relations.findings (institution_id, code, kind, key)
    where status in ('open', 'in_hand');
create index on relations.findings (institution_id, code, kind, key, raised_at desc);
select xd.protect('relations.findings');
insert into xd.lifecycle values
    ('relation_finding', 'open', 'in_hand'),
    ('relation_finding', 'in_hand', 'confirmed'), ('relation_finding', 'in_hand', 'false_alarm');
select xd.obey_lifecycle('relations.findings', 'relation_finding');

-- One row per night: how many customers were looked at, and in how many the kept state was not the computed one.
create table relations.runs (
    institution_id text not null,
    run_on date not null,
    customers integer not null,
    aged integer not null,
    differing integer not null,
    findings integer not null,
    run_at timestamptz not null,
    primary key (institution_id, run_on)
);
select xd.protect('relations.runs');

insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('retention.relation_days', '2021-11-01', null, 'count', '730', true,
 '关系图谱：一条关系最后一次出现后保存（天）', '《个人信息保护法》第十九条；本系统取值', 'D3-08'),
('retention.sighting_days', '2021-11-01', null, 'count', '180', true,
 '申请频次：保存（天）', '《个人信息保护法》第十九条；本系统取值', 'D3-08');
