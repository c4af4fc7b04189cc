-- 催收策略试用 (A6-07): a challenger beside the live collection strategy, agreed to by two people. Cases are parted by a
-- stable hash of the debtor and keep their side; the guard in code stands over both.
create table post_loan.challenges (
    id uuid primary key,
    product_code text not null,
    version_id uuid not null,            -- strategies.versions of the union
    authors text[] not null,             -- who wrote that version; none of them agrees
    document_hash text not null,         -- the challenger's
    champion_hash text,                  -- what was live when it was agreed to: the two are compared
    share_bp integer not null check (share_bp between 1 and 5000),
    why text not null check (why <> ''),
    maker text not null,
    made_at timestamptz not null,
    status text not null default 'proposed',   -- proposed -> running, refused; running -> ended
    checker text,
    answer text,
    answered_at timestamptz,
    ended_by text,
    ended_why text,
    ended_at timestamptz,
    check (checker <> maker and not checker = any (authors)),
    check ((status = 'proposed') = (checker is null)),
    check (status = 'proposed' or (coalesce(answer, '') <> '' and answered_at is not null)),
    check (status not in ('running', 'ended') or champion_hash is not null),
    check (champion_hash <> document_hash),
    check ((status = 'ended') = (ended_by is not null)),
    check ((ended_by is null) = (ended_at is null) and (ended_by is null or coalesce(ended_why, '') <> ''))
);
create unique index one_open_challenge on post_loan.challenges (product_code) where status in ('proposed', 'running');
select xd.share('post_loan.challenges', writable => true);
revoke update, delete on post_loan.challenges from xiaodai_app;
grant update (champion_hash, status, checker, answer, answered_at, ended_by, ended_why, ended_at)
    on post_loan.challenges to xiaodai_app;

insert into xd.lifecycle (name, from_status, to_status) values
    ('collection_challenge', 'proposed', 'running'), ('collection_challenge', 'proposed', 'refused'),
    ('collection_challenge', 'running', 'ended');
select xd.obey_lifecycle('post_loan.challenges', 'collection_challenge');

alter table post_loan.collection_cases
    add column challenge_id uuid references post_loan.challenges,
    add column arm text check (arm in ('champion', 'challenger')),
    add check ((challenge_id is null) = (arm is null));
create index on post_loan.collection_cases (challenge_id) where challenge_id is not null;

-- 营销邀请: what an officer notes after they invited somebody from the list of the marketing gate (A3-25, D3-03).
alter table campaigns.touches drop constraint touches_kind_check;
alter table campaigns.touches add check (kind in ('call', 'invite'));
