create schema evidence;

-- 取证: what an outside system answered about a person for one case, and the consent that allowed the question
-- (A5-02, D3-09). One answer per source and case: a resumed case does not ask, pay and leave a trace twice.
create table evidence.answers (
    institution_id text not null,
    application_id uuid not null,
    source text not null,                -- identity_check | credit_bureau | core_banking | data_platform
    consent_id uuid,
    reference text not null,             -- the other side's number of this query
    sha256 text not null,                -- of the bytes as they came
    facts bytea not null,                -- sealed JSON: values by fact name
    raw bytea not null,                  -- sealed: the bytes as they came
    observed_at timestamptz not null,
    price_fen bigint not null,
    recorded_at timestamptz not null,
    primary key (institution_id, application_id, source),
    foreign key (institution_id, application_id) references applications.applications,
    -- No question to these systems without a consent that names them.
    check (consent_id is not null or source = 'core_banking')
);
select xd.protect('evidence.answers');
select xd.append_only('evidence.answers');

-- Marks by which repetition is seen: same device, same household address. Blind indexes, nothing readable.
create table evidence.marks (
    institution_id text not null,
    application_id uuid not null,
    kind text not null check (kind in ('device', 'address', 'person')),
    mark bytea not null,
    customer_id uuid not null,
    at timestamptz not null,
    primary key (institution_id, application_id, kind),
    foreign key (institution_id, application_id) references applications.applications
);
create index on evidence.marks (institution_id, kind, mark, at);
select xd.protect('evidence.marks');
select xd.append_only('evidence.marks');
