create schema models;

-- A model's bytes by their SHA-256: a points card, trees, or either with offsets per county (A3-33). Never changed.
create table models.artefacts (
    hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
    kind text not null check (kind in ('scorecard', 'free_scorecard', 'trees', 'county_model')),
    body text not null,                  -- canonical JSON the hash was taken of; a graph is in it as base64
    added_by text not null,
    added_at timestamptz not null
);
select xd.share('models.artefacts', writable => true);
select xd.append_only('models.artefacts');

-- 模型登记 (D1-04, D1-05): what it is for, whose it is, and how far it came. Of the union, no customer data.
create table models.models (
    id uuid primary key,
    name text not null check (name <> ''),
    type text not null check (type in ('identity', 'anti_fraud', 'aml', 'compliance', 'risk_evaluation', 'pricing',
        'approval', 'early_warning', 'recovery')),
    family text not null check (family <> ''),   -- product family it is for, '*' for all
    purpose text not null check (purpose <> ''),
    owner text not null check (owner <> ''),     -- staff id; alarms go to this person
    data_list jsonb not null check (jsonb_array_length(data_list) > 0),
    artefact text not null references models.artefacts (hash),
    decides boolean not null,            -- held to the catalogue of facts: decisions may use it
    external boolean not null default false,     -- made by others: its score may only be an input (D1-05)
    status text not null default 'draft',
    report jsonb,                        -- of the validation that made it tested
    made_by text not null,
    made_at timestamptz not null,
    tested_by text,
    reviewed_by text,
    approved_by text,
    unique (artefact, type, family),
    check (status in ('draft', 'tested', 'reviewed', 'approved', 'shadow', 'live', 'watch', 'retired')),
    -- An external model is never the sole decider.
    check (not (external and decides)),
    -- Independent review: neither who made it, nor who tested it, nor whose it is.
    check (reviewed_by is null or (reviewed_by <> made_by and reviewed_by <> owner
        and reviewed_by is distinct from tested_by)),
    check (approved_by is null or (approved_by <> made_by and approved_by is distinct from tested_by
        and approved_by is distinct from reviewed_by)),
    check (status in ('draft', 'retired') or (tested_by is not null and report is not null)),
    check (status in ('draft', 'tested', 'retired') or reviewed_by is not null),
    check (status in ('draft', 'tested', 'reviewed', 'retired') or approved_by is not null)
);
select xd.share('models.models', writable => true);
revoke update, delete on models.models from xiaodai_app;
grant update (status, report, tested_by, reviewed_by, approved_by) on models.models to xiaodai_app;

insert into xd.lifecycle (name, from_status, to_status) values
    ('model', 'draft', 'tested'), ('model', 'draft', 'retired'),
    ('model', 'tested', 'reviewed'), ('model', 'tested', 'draft'), ('model', 'tested', 'retired'),
    ('model', 'reviewed', 'approved'), ('model', 'reviewed', 'draft'), ('model', 'reviewed', 'retired'),
    ('model', 'approved', 'shadow'), ('model', 'approved', 'retired'),
    ('model', 'shadow', 'live'), ('model', 'shadow', 'retired'),
    ('model', 'live', 'watch'), ('model', 'live', 'retired'),
    ('model', 'watch', 'live'), ('model', 'watch', 'retired');
select xd.obey_lifecycle('models.models', 'model');

-- Each act on a model: who, when, why (whole-life records, D1-05).
create table models.events (
    model_id uuid not null references models.models,
    seq integer not null check (seq > 0),
    from_status text,
    to_status text not null,
    who text not null,
    why text not null check (why <> ''),
    at timestamptz not null,
    primary key (model_id, seq)
);
select xd.share('models.events', writable => true);
select xd.append_only('models.events');

-- Who decides for a product family: the newest row. No champion: the card of the release does. The challenger
-- decides for a share of the applications, chosen by a stable hash of their id.
create table models.line_ups (
    seq bigint generated always as identity primary key,
    family text not null check (family <> ''),
    champion uuid references models.models,
    challenger uuid references models.models,
    share_bp integer not null default 0 check (share_bp between 0 and 5000),
    why text not null check (why <> ''),
    who text not null,
    at timestamptz not null,
    check (challenger is distinct from champion or challenger is null),
    check ((challenger is null) = (share_bp = 0)),
    check (challenger is null or champion is not null)
);
create index on models.line_ups (family, seq desc);
select xd.share('models.line_ups', writable => true);
select xd.append_only('models.line_ups');

-- What a model in the shadow would have said; written after the decision is recorded and read by nobody who decides.
create table models.shadow_scores (
    institution_id text not null,
    decision_id uuid not null,
    model_id uuid not null references models.models,
    score integer,
    error text not null default '',      -- kind of the error, never its words
    at timestamptz not null,
    primary key (institution_id, decision_id, model_id),
    check ((score is null) = (error <> ''))
);
select xd.protect('models.shadow_scores');
select xd.append_only('models.shadow_scores');

-- In which bin of the training sample each feature of a decided case fell: what CSI is counted from.
create table models.observations (
    institution_id text not null,
    decision_id uuid not null,
    model_hash text not null,            -- of the registered or shipped model, without its county's offset
    bins jsonb not null,
    proposed boolean not null,           -- the machine had an offer in hand when it left the case to a person
    at timestamptz not null,
    primary key (institution_id, decision_id)
);
create index on models.observations (institution_id, model_hash, at);
select xd.protect('models.observations');
select xd.append_only('models.observations');
