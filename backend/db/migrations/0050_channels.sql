create schema channels;

-- One row per official account and kind of token, shared by all replicas (wechat.md). Nobody calls outside while a
-- row is locked: whoever fetches writes a lease, commits, calls, and stores.
create table channels.access_tokens (
    app_id text not null,
    name text not null,                  -- access_token | jsapi_ticket
    token bytea,                         -- sealed
    expires_at timestamptz,
    refreshing_by text,
    refreshing_until timestamptz,
    primary key (app_id, name)
);
select xd.share('channels.access_tokens', writable => true);

-- Every message the platform delivered, by the hash of its number, across all institutions: a repeat that arrives
-- after the person has moved to another county is still a repeat. No person in it.
create table channels.received (
    key bytea primary key,
    served_by text not null,
    message_id uuid not null,
    received_at timestamptz not null
);
select xd.share('channels.received', writable => true);

-- State of a silent authorisation that is under way: one use, ten minutes, one browser.
create table channels.oauth_states (
    state_hash bytea primary key,
    visit_hash bytea not null,
    next_path text not null,
    tries integer not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
select xd.share('channels.oauth_states', writable => true);

-- Which county serves a WeChat account, and through whose code it came last. The newest routed_at over all
-- institutions counts. Institution '0000' keeps those who have not come through any county yet.
create table channels.followers (
    institution_id text not null,
    openid text not null,
    code_id text,
    code_token text,
    officer_id uuid,
    product_code text,
    routed_at timestamptz not null,
    following boolean not null default true,
    last_message_at timestamptz,         -- opens the 48 h window
    last_event_at timestamptz,           -- opens the 1 min window
    created_at timestamptz not null,
    primary key (institution_id, openid)
);
create index on channels.followers (openid, routed_at desc);
select xd.protect('channels.followers');

-- Every scan of a responsible code inside WeChat (线索), kept for attribution.
create table channels.leads (
    institution_id text not null,
    id uuid not null,
    openid text not null,
    code_id text not null,
    officer_id uuid,
    product_code text not null,
    scanned_at timestamptz not null,
    primary key (institution_id, id)
);
create index on channels.leads (institution_id, openid, scanned_at desc);
select xd.protect('channels.leads');

-- What was said to the account and what it answered; both sealed.
create table channels.messages (
    institution_id text not null,
    id uuid not null,
    openid text not null,
    kind text not null,                  -- text, image … or event.subscribe, event.scan …
    topic text not null,
    text bytea,
    reply bytea,
    received_at timestamptz not null,
    primary key (institution_id, id)
);
create index on channels.messages (institution_id, openid, received_at desc);
select xd.protect('channels.messages');

-- 订阅通知: one consent is one notice (N17).
create table channels.grants (
    institution_id text not null,
    id uuid not null,
    openid text not null,
    template_id text not null,
    granted_at timestamptz not null,
    reserved_for text,                   -- key of the notice it is kept for
    reserved_at timestamptz,
    used_at timestamptz,
    void_at timestamptz,                 -- the platform knew of no consent
    primary key (institution_id, id)
);
create index on channels.grants (openid, template_id, granted_at) where used_at is null and void_at is null;
select xd.protect('channels.grants');

-- One row per thing a customer must hear of; `steps` says which means was tried with what outcome.
create table channels.notices (
    institution_id text not null,
    id uuid not null,
    key text not null,
    case_id text not null,
    about text not null,                 -- the status announced
    means text,                          -- the one under way or the one that carried it
    steps jsonb not null default '[]',
    sent_at timestamptz,
    ended_at timestamptz,                -- sent, or nothing left to try
    created_at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, key)
);
create index on channels.notices (institution_id, case_id);
select xd.protect('channels.notices');

-- SMS as accepted by the platform, and what it reported later. No phone number in it.
create table channels.sms_messages (
    institution_id text not null,
    message_id text not null,
    case_id text not null,
    template text not null,
    status text not null default 'accepted',
    accepted_at timestamptz not null,
    receipt_at timestamptz,
    primary key (institution_id, message_id)
);
create index on channels.sms_messages (message_id);
select xd.protect('channels.sms_messages');

-- 人工 and 投诉: an owner and a clock for everything the bot cannot answer (D4-09).
create sequence channels.ticket_seq;
grant usage on sequence channels.ticket_seq to xiaodai_app;
create table channels.tickets (
    institution_id text not null,
    id uuid not null,
    ticket_no text not null,
    kind text not null check (kind in ('human', 'complaint')),
    openid text not null default '',
    customer_id uuid,
    owner_id uuid,                       -- member of staff; null: the institution's service desk
    text bytea not null,                 -- sealed
    answer bytea,                        -- sealed
    status text not null default 'open',
        -- open -> answered -> closed, or answered -> open when the person comes back
    due_at timestamptz not null,
    created_at timestamptz not null,
    answered_at timestamptz,
    primary key (institution_id, id),
    unique (institution_id, ticket_no)
);
create index on channels.tickets (institution_id, status, due_at);
create index on channels.tickets (institution_id, openid);
select xd.protect('channels.tickets');
insert into xd.lifecycle values
    ('ticket', 'open', 'answered'), ('ticket', 'answered', 'open'), ('ticket', 'answered', 'closed');
select xd.obey_lifecycle('channels.tickets', 'ticket');

-- The link by which a WeChat account is bound to a person: for one account, one use, 30 minutes.
create table channels.bind_links (
    institution_id text not null,
    id uuid not null,
    token_hash bytea not null,
    openid text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (institution_id, id),
    unique (institution_id, token_hash)
);
create index on channels.bind_links (token_hash);
select xd.protect('channels.bind_links');
