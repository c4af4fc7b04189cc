-- name: standing(institution_id, customer_id)
-- Actions that stand for any line of a customer: what a drawdown is checked against.
select distinct action from post_loan.warnings
where institution_id = :institution_id and customer_id = :customer_id and status <> 'cleared';

-- name: of_application(institution_id, application_id)^
-- The one that stands for a line.
select * from post_loan.warnings
where institution_id = :institution_id and application_id = :application_id and status <> 'cleared'
for update;

-- name: cleared_since(institution_id, application_id, since, actions, codes)$
-- A person looked at these very signals a short while ago, at this or a stricter action.
select exists (
    select from post_loan.warnings
    where institution_id = :institution_id and application_id = :application_id and status = 'cleared'
      and (answered_at at time zone 'Asia/Shanghai')::date > :since and action = any(:actions::text[])
      and codes @> :codes::text[]
);

-- name: insert(institution_id, id, application_id, customer_id, owner_id, action, codes, said, assessment_id, on, due_on)!
-- A warning begins.
insert into post_loan.warnings (institution_id, id, application_id, customer_id, owner_id, action, codes, said,
    assessment_id, raised_on, last_on, due_on)
values (:institution_id, :id, :application_id, :customer_id, :owner_id, :action, :codes, :said, :assessment_id, :on,
    :on, :due_on);

-- name: seen(institution_id, id, on)!
-- The night said the same again.
update post_loan.warnings set last_on = greatest(last_on, :on) where institution_id = :institution_id and id = :id;

-- name: sharpen(institution_id, id, action, codes, said, assessment_id, raised_on, on, due_on)!
-- A stricter action or a new signal: it is open again, whoever had answered it.
update post_loan.warnings
set action = :action, codes = :codes, said = :said, assessment_id = :assessment_id, raised_on = :raised_on,
    last_on = :on, due_on = :due_on, status = 'open'
where institution_id = :institution_id and id = :id and status <> 'cleared';

-- name: get(institution_id, id)^
-- One warning.
select * from post_loan.warnings where institution_id = :institution_id and id = :id;

-- name: of_owner(institution_id, owner_id, most)
-- An officer's open ones, the most urgent first.
select * from post_loan.warnings
where institution_id = :institution_id and owner_id = :owner_id and status = 'open'
order by due_on, raised_on, id
limit :most;

-- name: totals(institution_id)
-- How many are open, and how many stand with their measure.
select status, count(*) as warnings from post_loan.warnings
where institution_id = :institution_id and status in ('open', 'standing') group by status;

-- name: listed(institution_id, statuses, most, skipped)
-- A county's, the most urgent first.
select * from post_loan.warnings
where institution_id = :institution_id and status = any(:statuses::text[])
order by due_on, raised_on, id
limit :most offset :skipped;

-- name: answer(institution_id, id, action, status, false_alarm, observed, done, answered_by, now)$
-- What was done and found. Not where the night made it stricter meanwhile: the person saw another one.
update post_loan.warnings
set status = :status, false_alarm = :false_alarm, observed = :observed, done = :done, answered_by = :answered_by,
    answered_at = :now
where institution_id = :institution_id and id = :id and action = :action
  and (status = 'open' or (status = 'standing' and :status = 'cleared'))
returning true;

-- name: counts(institution_id, since)
-- False alarms by action, of the warnings raised since.
select action, count(*)::integer as raised, (count(*) filter (where status <> 'open'))::integer as answered,
       (count(*) filter (where false_alarm))::integer as false_alarms
from post_loan.warnings
where institution_id = :institution_id and raised_on >= :since
group by action;

-- name: raised_between(institution_id, since, until)
-- Which lines were warned of in a time, and when it reached that action.
select application_id, action, raised_on from post_loan.warnings
where institution_id = :institution_id and raised_on between :since and :until;

-- name: last_observed(institution_id, application_id)^
-- What a person saw last of a line.
select observed, answered_at from post_loan.warnings
where institution_id = :institution_id and application_id = :application_id and answered_at is not null
order by answered_at desc
limit 1;

-- name: hand_over(institution_id, from_officer, to_officer)!
-- What still stands of an officer's warnings is another's to answer.
update post_loan.warnings set owner_id = :to_officer
where institution_id = :institution_id and owner_id = :from_officer and status <> 'cleared';
