-- 断供阶梯 (N19): which rung an answer stands on. fresh: asked for this case · cached: of an earlier case of the same
-- person under the same consent · substitute: another source said it. `taken_from` is that case or that source.
alter table evidence.answers
    add column rung text not null default 'fresh' check (rung in ('fresh', 'cached', 'substitute')),
    add column taken_from text not null default '',
    add constraint answers_taken_from check ((rung = 'fresh') = (taken_from = ''));
-- No question to anybody without a consent that names it (D3-04, D3-09). Not valid for the rows of before, whose
-- answers of the books carry none; every new row is held to it.
alter table evidence.answers drop constraint answers_check;
alter table evidence.answers add constraint answers_consent check (consent_id is not null) not valid;
create index on evidence.marks (institution_id, customer_id) where kind = 'person';

-- One circuit breaker per source for all processes. No customer data. Changed in statements of their own, never in a
-- case's transaction.
-- closed -> open (too many failures) -> half_open (one call is let through) -> closed | open
create table evidence.breakers (
    source text primary key,
    state text not null check (state in ('closed', 'open', 'half_open')),
    failures integer not null check (failures >= 0),  -- more failures than answers within the window
    failed_at timestamptz,
    retry_at timestamptz,                -- when the next call may try; null while closed
    last_error text not null,            -- kind of failure, never the other side's words
    changed_at timestamptz not null,     -- of the state
    check ((state = 'closed') = (retry_at is null))
);
select xd.share('evidence.breakers', writable => true);
