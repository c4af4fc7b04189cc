-- Who decides for a product family is changed by two people (A3-33, D1-05): one proposes, another agrees.
create table models.line_up_proposals (
    id uuid primary key,
    family text not null check (family <> ''),
    champion uuid references models.models,
    challenger uuid references models.models,
    share_bp integer not null default 0 check (share_bp between 0 and 5000),
    why text not null check (why <> ''),
    maker text not null,
    made_at timestamptz not null,
    status text not null default 'proposed',   -- proposed -> agreed, refused
    checker text,
    answer text,
    answered_at timestamptz,
    unique (id, maker),
    check (status in ('proposed', 'agreed', 'refused')),
    check (challenger is distinct from champion or challenger is null),
    check ((challenger is null) = (share_bp = 0)),
    check (challenger is null or champion is not null),
    check (checker <> maker),
    check ((status = 'proposed') = (checker is null)),
    check (status = 'proposed' or (coalesce(answer, '') <> '' and answered_at is not null))
);
create unique index one_open_proposal on models.line_up_proposals (family) where status = 'proposed';
select xd.share('models.line_up_proposals', writable => true);
revoke update, delete on models.line_up_proposals from xiaodai_app;
grant update (status, checker, answer, answered_at) on models.line_up_proposals to xiaodai_app;

insert into xd.lifecycle (name, from_status, to_status) values
    ('line_up_proposal', 'proposed', 'agreed'), ('line_up_proposal', 'proposed', 'refused');
select xd.obey_lifecycle('models.line_up_proposals', 'line_up_proposal');

-- Each line-up from now on names the proposal two people stood behind: its own, or, when a line-up is taken back in
-- one act, that of the line-up which counts again.
alter table models.line_ups add column proposal uuid, add column proposed_by text,
    add foreign key (proposal, proposed_by) references models.line_up_proposals (id, maker),
    add constraint by_two_people check (proposal is not null and proposed_by is not null and proposed_by <> who)
        not valid;
