create schema guarantees;

-- 保证: what one person is asked to answer for, from the link the borrower passes on to the word of who opened it.
-- Who it is stands in customers.people, sealed; here are ids, moments and the hash of the link.
create table guarantees.guarantees (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    borrower_id uuid not null,
    token_hash bytea not null,           -- the link itself is made anew from our secret and kept nowhere
    status text not null default 'invited',
        -- invited -> opened; invited, opened -> refused, withdrawn, expired; opened -> confirmed; confirmed -> released
    step text not null default 'identity' check (step in ('identity', 'phone', 'liveness', 'confirm')),
    session_id uuid,                     -- the browser that took the link up; no other one goes on with it
    guarantor_id uuid,
    liveness text not null default 'none' check (liveness in ('none', 'passed', 'seen')),
    liveness_session text not null default '',
    amount numeric(18,2) not null check (amount > 0),   -- 最高额: the whole line, whatever is drawn of it
    line_until date not null,
    until_on date not null,              -- last day of 保证期间
    terms_version integer,
    terms_sha256 bytea,
    terms bytea,                         -- sealed: the very words that were confirmed
    shown_at timestamptz,
    required_seconds integer,
    confirmed_at timestamptz,
    why text not null default '',        -- code of why it ended
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    updated_at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, token_hash),
    foreign key (institution_id, application_id) references applications.applications,
    check (guarantor_id <> borrower_id),
    check (status in ('invited', 'withdrawn', 'refused', 'expired') or session_id is not null),
    check (status not in ('confirmed', 'released') or (guarantor_id is not null and terms_sha256 is not null
        and terms is not null and shown_at is not null and confirmed_at is not null)),
    check ((status in ('refused', 'withdrawn', 'expired', 'released')) = (ended_at is not null))
);
create index on guarantees.guarantees (institution_id, application_id, created_at);
create index on guarantees.guarantees (institution_id, guarantor_id) where status = 'confirmed';
create index guarantees_open on guarantees.guarantees (expires_at) where status in ('invited', 'opened');
create unique index one_guarantee_per_person on guarantees.guarantees (institution_id, application_id, guarantor_id)
    where status in ('opened', 'confirmed');
create unique index one_guarantee_per_session on guarantees.guarantees (institution_id, session_id);
select xd.protect('guarantees.guarantees');
revoke delete on guarantees.guarantees from xiaodai_app;

insert into xd.lifecycle values
    ('guarantee', 'invited', 'opened'), ('guarantee', 'invited', 'refused'), ('guarantee', 'invited', 'withdrawn'),
    ('guarantee', 'invited', 'expired'), ('guarantee', 'opened', 'confirmed'), ('guarantee', 'opened', 'refused'),
    ('guarantee', 'opened', 'withdrawn'), ('guarantee', 'opened', 'expired'), ('guarantee', 'confirmed', 'released');
select xd.obey_lifecycle('guarantees.guarantees', 'guarantee');

-- A photograph of somebody else's card than the applicant's: the guarantor's.
alter table applications.captures add column guarantee_id uuid;

insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('guarantee.period_months', '2021-01-01', null, 'count', '6', true,
 '保证期间：从主债务到期算起（月）', '《民法典》第六百九十二条', 'A8-12'),
('guarantee.most_borrowers', '2026-01-04', null, 'count', '2', true,
 '一个人最多同时为几位借款人担保', '本系统取值', 'A1-08'),
('guarantee.most_amount', '2026-01-04', null, 'fen', '30000000', true,
 '一个人在本行担保的最高额合计', '本系统取值', 'A1-08'),
('guarantee.link_hours', '2026-01-04', null, 'count', '72', true,
 '请保证人的链接有效（小时）', '本系统取值', 'A1-08');
