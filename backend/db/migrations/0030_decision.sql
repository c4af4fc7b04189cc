create schema decision;

-- Everything that ever decided, by its SHA-256: strategy documents, scorecards, catalogues of facts. A body is
-- the canonical JSON the hash was taken of; it is never changed, so any decision can be replayed (A3-30, A3-33).
create table decision.versions (
    hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
    kind text not null check (kind in ('strategy', 'scorecard', 'catalogue')),
    name text not null,                  -- strategy set, or name of the scorecard
    stage text check ((kind = 'strategy') = (stage is not null)),
    body text not null,
    added_by text not null,
    added_at timestamptz not null
);
select xd.share('decision.versions', writable => true);
select xd.append_only('decision.versions');

-- What decides now: the newest release of a set. Rolling back is one more row naming older versions, so the
-- state of a version (draft, live, retired) follows from the releases that name it.
create table decision.releases (
    seq bigint generated always as identity primary key,
    name text not null,
    strategies jsonb not null,           -- {stage: hash}
    scorecard text not null references decision.versions (hash),
    catalogue text not null references decision.versions (hash),
    reason text not null check (reason <> ''),
    released_by text not null,
    released_at timestamptz not null
);
create index on decision.releases (name, seq desc);
select xd.share('decision.releases', writable => true);
select xd.append_only('decision.releases');

-- 审批结果: one per attempt at an application. The capsule holds facts, consents, reasons and trace, sealed
-- because it is all about one person; the columns beside it are what lists and statistics need.
create table decision.decisions (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    attempt integer not null check (attempt > 0),
    product_code text not null,
    outcome text not null check (outcome in ('approved', 'declined', 'referred')),
    amount_fen bigint check (amount_fen > 0),
    annual_rate_bp integer check (annual_rate_bp > 0),
    term_months integer check (term_months > 0),
    grade text,
    score integer,
    reason_codes text[] not null,
    completeness_bp integer not null check (completeness_bp between 0 and 10000),
    versions jsonb not null,
    capsule bytea not null,
    capsule_sha256 bytea not null check (length(capsule_sha256) = 32),
    decided_at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, application_id, attempt),
    check ((outcome = 'approved') = (amount_fen is not null and annual_rate_bp is not null
        and term_months is not null))
);
create index on decision.decisions (institution_id, decided_at);
select xd.protect('decision.decisions');
select xd.append_only('decision.decisions');
