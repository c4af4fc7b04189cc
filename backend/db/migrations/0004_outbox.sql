create schema outbox;

-- What must happen outside because of a change inside, written with the change (trust §1).
create table outbox.effects (
    institution_id text not null,
    id uuid not null,
    kind text not null,                  -- wechat.notify, mobile_bank.offer …
    case_id text not null,               -- the application or customer it belongs to
    key text not null,                   -- idempotency key sent outside, identical on every retry
    payload bytea not null,              -- sealed: it may hold personal data
    status text not null default 'waiting',
        -- waiting -> delivering -> delivered, or back to waiting, or dead
    attempts integer not null default 0,
    due_at timestamptz not null,
    leased_until timestamptz,
    last_error text,                     -- a code, never a body
    created_at timestamptz not null,
    delivered_at timestamptz,
    primary key (institution_id, id),
    unique (institution_id, kind, key)
);
create index effects_due on outbox.effects (due_at) where status in ('waiting', 'delivering');
create index on outbox.effects (institution_id, case_id);
select xd.protect('outbox.effects');

insert into xd.lifecycle values
    ('effect', 'waiting', 'delivering'), ('effect', 'delivering', 'delivered'),
    ('effect', 'delivering', 'waiting'), ('effect', 'delivering', 'dead'), ('effect', 'dead', 'waiting');
select xd.obey_lifecycle('outbox.effects', 'effect');

-- What others told us, stored before it is understood; the key makes a repeat harmless.
create table outbox.inbox (
    institution_id text not null,
    source text not null,
    message_id text not null,
    case_id text not null,
    payload bytea not null,
    received_at timestamptz not null,
    applied_at timestamptz,
    outcome text,
    primary key (institution_id, source, message_id)
);
create index on outbox.inbox (institution_id, case_id, received_at);
select xd.protect('outbox.inbox');

-- Answers already given to a request with a key, for ever (trust §1 no 3).
create table outbox.idempotency (
    institution_id text not null,
    key text not null,
    request_hash bytea not null,
    answer text not null,
    created_at timestamptz not null,
    primary key (institution_id, key)
);
select xd.protect('outbox.idempotency');

-- Quotas that hold across processes. Keys are blind indexes or session ids, never personal data.
create table xd.quota (
    key text not null,
    starts_at timestamptz not null,
    used integer not null,
    primary key (key, starts_at)
);
select xd.share('xd.quota', writable => true);
