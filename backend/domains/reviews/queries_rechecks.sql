-- name: open(institution_id, id, application_id, decision_id, triggers, due_at, now)!
-- One per decision; a trigger that comes later joins the others while nobody has looked.
insert into reviews.rechecks as r (institution_id, id, application_id, decision_id, triggers, due_at, opened_at)
values (:institution_id, :id, :application_id, :decision_id, :triggers, :due_at, :now)
on conflict (institution_id, decision_id) do update
set triggers = array(select distinct unnest(r.triggers || excluded.triggers) order by 1)
where r.status = 'open';

-- name: lock(institution_id, id)^
-- One re-check, so that two people do not both answer it.
select id, application_id, decision_id, triggers, status, due_at, opened_at, why, found_by, found_at, done, done_by,
       done_at
from reviews.rechecks where institution_id = :institution_id and id = :id for update;

-- name: listed(institution_id, status, most)
-- The queue, what is due first on top.
select id, application_id, decision_id, triggers, status, due_at, opened_at, why, found_by, found_at, done, done_by,
       done_at
from reviews.rechecks where institution_id = :institution_id and status = :status
order by due_at, id limit :most;

-- name: answered(institution_id, application_id, most)
-- What people said, the newest first; of one case ('' for all).
select id, application_id, decision_id, triggers, status, due_at, opened_at, why, found_by, found_at, done, done_by,
       done_at
from reviews.rechecks
where institution_id = :institution_id and status in ('agreed', 'disagreed', 'settled')
    and (:application_id = '' or application_id::text = :application_id)
order by found_at desc, id limit :most;

-- name: waiting(institution_id)
-- How many wait in all: the queue shows only the most urgent.
select status, count(*) as cases from reviews.rechecks
where institution_id = :institution_id and status in ('open', 'disagreed') group by status;

-- name: find(institution_id, id, status, why, found_by, now)!
-- Compare and set.
update reviews.rechecks set status = :status, why = :why, found_by = :found_by, found_at = :now
where institution_id = :institution_id and id = :id and status = 'open';

-- name: settle(institution_id, id, done, done_by, now)!
-- Compare and set.
update reviews.rechecks set status = 'settled', done = :done, done_by = :done_by, done_at = :now
where institution_id = :institution_id and id = :id and status = 'disagreed';

-- name: counts(institution_id, since)
-- For monitors: how re-checks of each trigger came out.
select t.trigger, r.status, count(*) as cases
from reviews.rechecks r cross join unnest(r.triggers) as t(trigger)
where r.institution_id = :institution_id and r.opened_at >= :since
group by t.trigger, r.status order by t.trigger, r.status;
