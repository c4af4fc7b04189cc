-- 自动审批抽查 (D2-07): some automatic approvals are looked at again by a person, after the customer has their answer.
-- A finding never changes a loan by itself: "wrong" is a task for the county until somebody writes what was done.
create table reviews.rechecks (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    decision_id uuid not null,
    triggers text[] not null check (cardinality(triggers) > 0),
    status text not null default 'open', -- open -> agreed or disagreed; disagreed -> settled
    due_at timestamptz not null,
    opened_at timestamptz not null,
    why bytea,                           -- sealed: the reviewer's reasons
    found_by text,
    found_at timestamptz,
    done bytea,                          -- sealed: what came of a wrong one
    done_by text,
    done_at timestamptz,
    primary key (institution_id, id),
    unique (institution_id, decision_id),
    foreign key (institution_id, application_id) references applications.applications,
    foreign key (institution_id, decision_id) references decision.decisions,
    check ((status = 'open') = (found_by is null) and (found_by is null) = (why is null)
           and (found_by is null) = (found_at is null)),
    check ((status = 'settled') = (done_by is not null) and (done_by is null) = (done is null)
           and (done_by is null) = (done_at is null)),
    check (done_by is distinct from found_by or done_by is null)
);
create index on reviews.rechecks (institution_id, status, due_at);
create index on reviews.rechecks (institution_id, opened_at);
select xd.protect('reviews.rechecks');

insert into xd.lifecycle (name, from_status, to_status) values
    ('recheck', 'open', 'agreed'), ('recheck', 'open', 'disagreed'), ('recheck', 'disagreed', 'settled');
select xd.obey_lifecycle('reviews.rechecks', 'recheck');

insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('recheck.share', '2024-07-01', null, 'rate', '"0.05"', true,
 '自动通过的业务由人工抽查的比例（本联社取值）', '《个人贷款管理办法》（2024年第3号令）：自动化审批须有人工复审验证', 'D2-07'),
('recheck.working_days', '2024-07-01', null, 'count', '5', true,
 '人工抽查的时限（工作日，本联社取值）', '《个人贷款管理办法》（2024年第3号令）', 'D2-07');
