create schema handoff;

-- 移交: one row per way into the mobile bank handed to a customer; redeemed at most once.
create table handoff.tickets (
    institution_id text not null,
    id uuid not null,                    -- jti of the token
    application_id uuid not null,
    kind text not null check (kind in ('token', 'short_code')),
    code_index bytea,                    -- blind index of a short code
    tries integer not null default 0,    -- by somebody who is not this customer
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    redeemed_at timestamptz,
    primary key (institution_id, id),
    foreign key (institution_id, application_id) references applications.applications,
    check ((kind = 'short_code') = (code_index is not null)),
    check (kind <> 'token' or expires_at <= issued_at + interval '120 seconds'),
    check (expires_at <= issued_at + interval '10 minutes')
);
create index on handoff.tickets (code_index) where code_index is not null;
create index on handoff.tickets (institution_id, application_id);
select xd.protect('handoff.tickets');
