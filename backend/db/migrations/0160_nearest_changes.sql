-- 最近的可行改变 (N5): what was told of how to be approved or to get more, worked out with the decision and kept with
-- it, so that it can be shown years later what a customer was advised, and by which list.
create table decision.nearest_changes (
    institution_id text not null,
    decision_id uuid not null,
    body bytea not null,                 -- sealed: what to do and what the changed case was given
    actionable text not null check (actionable ~ '^[0-9a-f]{64}$'),  -- SHA-256 of the list it was taken from
    found_at timestamptz not null,
    primary key (institution_id, decision_id),
    foreign key (institution_id, decision_id) references decision.decisions
);
select xd.protect('decision.nearest_changes');
select xd.append_only('decision.nearest_changes');
