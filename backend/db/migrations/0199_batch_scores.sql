-- 批量评分: scores of a county's own customers by facts that are stored already, for pre-approval and early warning,
-- kept chunk by chunk (issue 3 sections 6 and 8).
create table trials.batches (
    institution_id text not null,
    id uuid not null,
    purpose text not null check (purpose in ('pre_approval', 'early_warning')),
    status text not null check (status in ('waiting', 'running', 'stopped', 'done', 'failed')),
    model text not null,                 -- as people call it
    model_id uuid,                       -- where it is in the register
    artefact text not null,              -- SHA-256 of what scores, the same from the first chunk to the last
    cases_total integer not null check (cases_total > 0),
    cases_done integer not null default 0 check (cases_done between 0 and cases_total),
    scored integer not null default 0 check (scored between 0 and cases_done),
    parts integer not null default 0,
    cursor text not null default '',     -- institution/customer behind which the next chunk begins
    turn integer not null default 1,     -- how often it was started: the steps of an earlier turn keep nothing
    error text not null default '',
    asked_by text not null,
    asked_at timestamptz not null,
    ended_at timestamptz,
    primary key (institution_id, id)
);
create index on trials.batches (institution_id, asked_at desc);
select xd.protect('trials.batches');
select xd.obey_lifecycle('trials.batches', 'batch');
insert into xd.lifecycle (name, from_status, to_status) values
    ('batch', 'waiting', 'running'),
    ('batch', 'waiting', 'stopped'),
    ('batch', 'running', 'done'),
    ('batch', 'running', 'stopped'),
    ('batch', 'running', 'failed'),
    ('batch', 'stopped', 'waiting'),
    ('batch', 'failed', 'waiting');

-- One chunk: how many have which score, why others have none, and whose they are, sealed.
create table trials.batch_parts (
    institution_id text not null,
    run_id uuid not null,
    number integer not null,
    scores jsonb not null,               -- {"612": [customers, chance of default in basis points]}
    problems jsonb not null,             -- {"stale": customers}
    fell integer not null,               -- scores lower than at the decision
    body bytea not null,                 -- sealed Parquet: customer, case, score, chance, score of the decision
    primary key (institution_id, run_id, number),
    foreign key (institution_id, run_id) references trials.batches
);
select xd.protect('trials.batch_parts');

-- Whose newest decision a chunk reads.
create index on applications.applications (institution_id, customer_id);
