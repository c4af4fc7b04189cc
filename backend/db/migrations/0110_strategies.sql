-- 策略的版本与生命 (A3-33, A3-34, N4): what decides now, which versions a case began with, and how a version came to
-- decide. The union's rows have institution '*'; everybody reads them, head office ('0000') writes them.
create function decision.guard_layers(target regclass) returns void language plpgsql as $$
begin
    execute format('grant usage on schema %I to xiaodai_app',
        (select nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid where c.oid = target));
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy layer_reads on %s for select using ('
        'xd.institution() is not null and (institution_id in (''*'', xd.institution()) or xd.institution() = ''*''))',
        target);
    execute format('create policy layer_writes on %s for all using ('
        'xd.institution() <> ''*'' and (institution_id = xd.institution() '
        'or (institution_id = ''*'' and xd.institution() = ''0000''))) with check ('
        'xd.institution() <> ''*'' and (institution_id = xd.institution() '
        'or (institution_id = ''*'' and xd.institution() = ''0000'')))', target);
    execute format('grant select, insert, update, delete on %s to xiaodai_app', target);
end $$;

-- Composed documents of counties, by SHA-256, as decision.versions holds the union's; another county sees none.
create table decision.county_versions (
    institution_id text not null,
    hash text not null check (hash ~ '^[0-9a-f]{64}$'),
    stage text not null,
    body text not null,
    added_by text not null,
    added_at timestamptz not null,
    primary key (institution_id, hash)
);
select xd.protect('decision.county_versions');
select xd.append_only('decision.county_versions');

-- What decides now, one document per layer, product ('*': every product without its own) and stage. Read with every
-- decision, so a change decides in every process from its commit on. Without a row the shipped document decides.
create table decision.live (
    institution_id text not null,
    product_code text not null,
    stage text not null,
    hash text not null check (hash ~ '^[0-9a-f]{64}$'),
    price_band integer[] check (array_length(price_band, 1) = 2 and price_band[1] <= price_band[2]),
    since timestamptz not null,
    primary key (institution_id, product_code, stage),
    check (price_band is null or (institution_id = '*' and stage = 'pricing'))
);
select decision.guard_layers('decision.live');

-- The versions a case began with: those live when it was submitted. It keeps them to its decision (A3-20).
create table decision.pins (
    institution_id text not null,
    application_id uuid not null,
    versions jsonb not null,             -- strategies, scorecard, overlays, price_band; hashes only
    pinned_at timestamptz not null,
    primary key (institution_id, application_id)
);
select xd.protect('decision.pins');
select xd.append_only('decision.pins');

create schema strategies;

-- One version of one strategy: content never changes, only its standing does.
create table strategies.versions (
    institution_id text not null,        -- '*': head office's floor; else the county whose overlay it is
    id uuid not null,
    product_code text not null,          -- or '*'
    stage text not null,
    number integer not null check (number > 0),
    content text not null,               -- canonical JSON: document and openings, or a county's rows and values
    content_hash text not null check (content_hash ~ '^[0-9a-f]{64}$'),
    document_hash text not null check (document_hash ~ '^[0-9a-f]{64}$'),
    base_id uuid,                        -- the version it was made from
    maker text not null,
    authors text[] not null,             -- everybody who wrote in the draft it came from, maker included
    reason text not null check (reason <> ''),
    note text not null default '',       -- what changed
    made_at timestamptz not null,
    status text not null default 'draft',
        -- draft -> checked -> approved -> live -> retired; draft, checked -> superseded; -> rejected
    submitted_at timestamptz,
    checker text,
    effective_from timestamptz,
    effective_until timestamptz,
    primary key (institution_id, id),
    unique (institution_id, product_code, stage, number),
    unique (institution_id, id, content_hash, maker),
    foreign key (institution_id, base_id) references strategies.versions,
    check (maker = any (authors)),
    check (checker <> maker),
    check (checker <> all (authors)),    -- four eyes: nobody approves what they wrote in
    check (status not in ('approved', 'live', 'retired') or checker is not null),
    check (effective_until > effective_from)
);
create unique index one_live on strategies.versions (institution_id, product_code, stage) where status = 'live';
create unique index one_open on strategies.versions (institution_id, product_code, stage)
    where status in ('draft', 'checked');
create index on strategies.versions (institution_id, status);
select decision.guard_layers('strategies.versions');
revoke update, delete on strategies.versions from xiaodai_app;
grant update (status, submitted_at, checker, effective_from, effective_until) on strategies.versions to xiaodai_app;

insert into xd.lifecycle (name, from_status, to_status) values
    ('strategy', 'draft', 'checked'), ('strategy', 'draft', 'superseded'),
    ('strategy', 'checked', 'approved'), ('strategy', 'checked', 'rejected'), ('strategy', 'checked', 'superseded'),
    ('strategy', 'approved', 'live'), ('strategy', 'approved', 'rejected'),
    ('strategy', 'live', 'retired'), ('strategy', 'retired', 'live');
select xd.obey_lifecycle('strategies.versions', 'strategy');

-- Every move of every version: who, why, when.
create table strategies.moves (
    institution_id text not null,
    version_id uuid not null,
    seq integer not null,
    from_status text,
    to_status text not null,
    who text not null,
    why text not null,
    at timestamptz not null,
    primary key (institution_id, version_id, seq),
    foreign key (institution_id, version_id) references strategies.versions
);
select decision.guard_layers('strategies.moves');
select xd.append_only('strategies.moves');

-- One run of all checks over exactly one content: findings of the lint, scenarios, like pairs, openings.
create table strategies.check_runs (
    institution_id text not null,
    id uuid not null,
    version_id uuid not null,
    content_hash text not null,
    failures integer not null check (failures >= 0),
    report jsonb not null,               -- findings, scenarios and unfair pairs, each with its sentence
    run_by text not null,
    run_at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, id, version_id, content_hash, failures),
    foreign key (institution_id, version_id) references strategies.versions
);
create index on strategies.check_runs (institution_id, version_id, run_at desc);
select decision.guard_layers('strategies.check_runs');
select xd.append_only('strategies.check_runs');

-- The second person's word. An approval names a run of that very content with no failure; SQL knows no other.
create table strategies.approvals (
    institution_id text not null,
    id uuid not null,
    version_id uuid not null,
    content_hash text not null,
    maker text not null,
    checker text not null,
    verdict text not null check (verdict in ('approved', 'rejected')),
    reason text not null check (reason <> ''),
    check_run_id uuid,
    failures integer check (failures = 0),
    at timestamptz not null,
    primary key (institution_id, id),
    check (checker <> maker),
    check ((verdict = 'approved') = (check_run_id is not null and failures is not null)),
    foreign key (institution_id, version_id, content_hash, maker)
        references strategies.versions (institution_id, id, content_hash, maker),
    foreign key (institution_id, check_run_id, version_id, content_hash, failures)
        references strategies.check_runs (institution_id, id, version_id, content_hash, failures)
);
create index on strategies.approvals (institution_id, version_id);
select decision.guard_layers('strategies.approvals');
select xd.append_only('strategies.approvals');

create function strategies.keep() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.status <> 'draft' or new.checker is not null then
            raise exception 'a version begins as a draft' using errcode = 'check_violation';
        end if;
        return new;
    end if;
    if (new.institution_id, new.id, new.product_code, new.stage, new.number, new.content, new.content_hash,
        new.document_hash, new.base_id, new.maker, new.authors, new.reason, new.note, new.made_at)
       is distinct from
       (old.institution_id, old.id, old.product_code, old.stage, old.number, old.content, old.content_hash,
        old.document_hash, old.base_id, old.maker, old.authors, old.reason, old.note, old.made_at) then
        raise exception 'the content of a version never changes' using errcode = 'restrict_violation';
    end if;
    if new.status in ('approved', 'live') and new.status is distinct from old.status and not exists (
        select from strategies.approvals a
        where a.institution_id = new.institution_id and a.version_id = new.id and a.verdict = 'approved'
            and a.checker = new.checker
    ) then
        raise exception 'no approval of this version' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger keep before insert or update on strategies.versions
    for each row execute function strategies.keep();

-- 场景: a case and what must come of it, run at every check of a strategy of its product ('*': of all products).
create table strategies.scenarios (
    institution_id text not null,        -- '0000': head office's
    id uuid not null,
    product_code text not null,
    name text not null check (name <> ''),
    body bytea not null,                 -- sealed: it may come from a real case
    made_by text not null,
    made_at timestamptz not null,
    retired_at timestamptz,
    primary key (institution_id, id)
);
create unique index one_of_a_name on strategies.scenarios (institution_id, product_code, name)
    where retired_at is null;
select xd.protect('strategies.scenarios');

-- 影响: a version tried on stored past decisions before anybody approves it.
create table strategies.effects (
    institution_id text not null,
    id uuid not null,
    version_id uuid not null,
    content_hash text not null,
    cases_total integer not null check (cases_total >= 0),
    cases_done integer not null default 0,
    figures jsonb not null,
    asked_by text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    cancelled_at timestamptz,
    primary key (institution_id, id),
    foreign key (institution_id, version_id) references strategies.versions,
    check (cases_done between 0 and cases_total),
    check (finished_at is null or cancelled_at is null)
);
create index on strategies.effects (institution_id, version_id, started_at desc);
select decision.guard_layers('strategies.effects');
