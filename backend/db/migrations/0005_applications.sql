create schema applications;

create sequence applications.number_seq;
grant usage on schema applications to xiaodai_app;
grant usage on sequence applications.number_seq to xiaodai_app;

-- 进件: one loan application from the first tap to its final state.
create table applications.applications (
    institution_id text not null,
    id uuid not null,
    application_no text not null,
    session_id uuid,
    customer_id uuid,
    openid text,
    product_code text not null,
    product_version text not null,       -- e.g. SXD@2/LLHM@1
    channel text not null,               -- qr | bot | web | officer | partner …
    code_id text,                        -- 责任码
    officer_id uuid,
    status text not null default 'draft',
    is_internet_loan boolean not null default true,
    step text not null default 'identity',   -- where a draft was left
    declared bytea,                      -- sealed JSON: purpose, income band, village, occupation …
    amount_fen bigint,
    term_months integer,
    purpose text,
    liveness text not null default 'none',   -- none | passed | declined (the person chose another way)
    submitted_at timestamptz,
    decided_at timestamptz,
    promised_at timestamptz,             -- when a held or referred case is answered at the latest
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (institution_id, id),
    unique (institution_id, application_no)
);
-- One open application per person and product.
create unique index one_open_application on applications.applications (institution_id, customer_id, product_code)
    where status in ('draft', 'submitted', 'deciding', 'referred', 'held', 'approved', 'handed_off');
create index on applications.applications (institution_id, officer_id, status);
create index on applications.applications (institution_id, openid);
create index on applications.applications (institution_id, status, updated_at);
select xd.protect('applications.applications');

insert into xd.lifecycle (name, from_status, to_status) values
    ('application', 'draft', 'submitted'), ('application', 'draft', 'abandoned'),
    ('application', 'submitted', 'deciding'),
    ('application', 'deciding', 'approved'), ('application', 'deciding', 'declined'),
    ('application', 'deciding', 'referred'), ('application', 'deciding', 'held'),
    ('application', 'held', 'deciding'), ('application', 'held', 'cancelled'),
    ('application', 'referred', 'approved'), ('application', 'referred', 'declined'),
    ('application', 'referred', 'cancelled'),
    ('application', 'approved', 'handed_off'), ('application', 'approved', 'expired'),
    ('application', 'approved', 'cancelled'),
    ('application', 'handed_off', 'signed'), ('application', 'handed_off', 'expired'),
    ('application', 'handed_off', 'cancelled'),
    ('application', 'signed', 'drawn'), ('application', 'signed', 'cancelled'),
    ('application', 'drawn', 'repaid');
select xd.obey_lifecycle('applications.applications', 'application');

-- Every move, numbered without gaps and chained by hash per case.
create table applications.events (
    institution_id text not null,
    application_id uuid not null,
    seq integer not null,
    event text not null,
    from_status text,
    to_status text not null,
    who text not null,
    why text not null,
    at timestamptz not null,
    hash bytea not null,
    primary key (institution_id, application_id, seq),
    foreign key (institution_id, application_id) references applications.applications
);
select xd.protect('applications.events');
select xd.append_only('applications.events');

create function applications.link(previous bytea, application uuid, seq integer, event text, from_status text,
                                  to_status text, who text, why text, at timestamptz) returns bytea
    language sql immutable parallel safe
    return sha256(coalesce(previous, '\x00') || convert_to(jsonb_build_array(application, seq, event, from_status,
        to_status, who, why, extract(epoch from at)::numeric(20, 6)::text)::text, 'UTF8'));

-- Photographs of documents: what was read, where the image went. The image itself lies sealed on disk until
-- the image archive confirms it, at most 24 hours (A5-08, D7).
create table applications.captures (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    kind text not null,                  -- id_front | id_back
    sha256 bytea not null,
    reading bytea,                       -- sealed JSON of backend.ocr Reading
    confirmed bytea,                     -- sealed JSON of what the person confirmed
    corrected text[] not null default '{}',
    archive_receipt text,
    archived_at timestamptz,
    destroyed_at timestamptz,            -- our copy
    created_at timestamptz not null,
    primary key (institution_id, id),
    foreign key (institution_id, application_id) references applications.applications
);
create index on applications.captures (institution_id, application_id);
create index captures_waiting on applications.captures (created_at) where destroyed_at is null;
select xd.protect('applications.captures');
