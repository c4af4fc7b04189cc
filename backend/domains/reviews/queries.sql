-- name: open(institution_id, id, application_id, kind, ground, said, asked_by, due_at, now)$
-- One of a kind per case.
insert into reviews.reviews (institution_id, id, application_id, kind, ground, said, asked_by, due_at, opened_at)
values (:institution_id, :id, :application_id, :kind, :ground, :said, :asked_by, :due_at, :now)
on conflict (institution_id, application_id, kind) do nothing
returning true;

-- name: get(institution_id, id)^
-- One review.
select * from reviews.reviews where institution_id = :institution_id and id = :id;

-- name: lock(institution_id, id)^
-- One review, so that two reviewers do not both answer it.
select * from reviews.reviews where institution_id = :institution_id and id = :id for update;

-- name: of_application(institution_id, application_id)
-- Both kinds of a case, oldest first.
select * from reviews.reviews
where institution_id = :institution_id and application_id = :application_id
order by opened_at;

-- name: came_from(institution_id, application_id)$
-- The application this one goes on from.
select application_id from reviews.reviews
where institution_id = :institution_id and new_application_id = :application_id;

-- name: origin(institution_id, application_id)$
-- The first of the applications this one goes on from: what was said and shown there is what it is judged by.
with recursive back as (
    select r.application_id, 1 as steps from reviews.reviews r
    where r.institution_id = :institution_id and r.new_application_id = :application_id
    union all
    select r.application_id, b.steps + 1 from back b
    join reviews.reviews r on r.institution_id = :institution_id and r.new_application_id = b.application_id
)
select application_id from back order by steps desc limit 1;

-- name: waiting(institution_id, most)
-- The work list, what is due first on top.
select * from reviews.reviews
where institution_id = :institution_id and status = 'open'
order by due_at
limit :most;

-- name: answer(institution_id, id, outcome, amount, annual_rate, term_months, reason, answered_by, new_application_id, now)!
-- Compare and set.
update reviews.reviews
set status = 'answered', outcome = :outcome, amount = :amount, annual_rate = :annual_rate,
    term_months = :term_months, reason = :reason, answered_by = :answered_by,
    new_application_id = :new_application_id, answered_at = :now
where institution_id = :institution_id and id = :id and status = 'open';

-- name: close(institution_id, application_id)!
-- The application ended another way.
update reviews.reviews set status = 'closed'
where institution_id = :institution_id and application_id = :application_id and status = 'open';

-- name: ask(institution_id, id, review_id, officer_id, asked, asked_by, now)$
-- The officer has the ball now; null when a question is open already.
insert into reviews.inquiries (institution_id, id, review_id, officer_id, asked, asked_by, asked_at)
values (:institution_id, :id, :review_id, :officer_id, :asked, :asked_by, :now)
on conflict do nothing
returning true;

-- name: inquiry(institution_id, id)^
-- One question, so that it is answered once.
select id, review_id, officer_id, asked, asked_by, asked_at, answer, answered_at
from reviews.inquiries where institution_id = :institution_id and id = :id for update;

-- name: inquiries(institution_id, review_id)
-- What was asked and answered about a case, oldest first.
select id, review_id, officer_id, asked, asked_by, asked_at, answer, answered_at
from reviews.inquiries where institution_id = :institution_id and review_id = :review_id order by asked_at, id;

-- name: open_inquiries(institution_id, officer_id, most)
-- What an officer still owes the reviewers; questions of answered reviews no longer count.
select i.id, i.review_id, i.officer_id, i.asked, i.asked_by, i.asked_at, i.answer, i.answered_at,
       r.application_id, r.due_at
from reviews.inquiries i
join reviews.reviews r on r.institution_id = i.institution_id and r.id = i.review_id
where i.institution_id = :institution_id and i.officer_id = :officer_id and i.answered_at is null and r.status = 'open'
order by r.due_at
limit :most;

-- name: hand_over_inquiries(institution_id, from_officer, to_officer)!
-- What an officer still owed, another finds out.
update reviews.inquiries set officer_id = :to_officer
where institution_id = :institution_id and officer_id = :from_officer and answered_at is null;

-- name: answer_inquiry(institution_id, id, answer, now)!
-- The ball goes back to the reviewers.
update reviews.inquiries set answer = :answer, answered_at = :now
where institution_id = :institution_id and id = :id and answered_at is null;

-- name: forget(institution_id, applications)!
-- What was said of people who were forgotten goes; that it was asked and how it ended stays.
with said as (
    update reviews.reviews set said = null
    where institution_id = :institution_id and application_id = any(:applications::uuid[])
    returning id
), asked as (
    update reviews.inquiries i set asked = '\x', answer = case when i.answer is not null then '\x'::bytea end
    from said where i.institution_id = :institution_id and i.review_id = said.id
), exceeded as (
    update reviews.exceedings e set exceeded = '\x', why = '\x', found = case when e.found is not null then '\x'::bytea end
    from said where e.institution_id = :institution_id and e.review_id = said.id
)
update reviews.rechecks r set why = case when r.why is not null then '\x'::bytea end,
    done = case when r.done is not null then '\x'::bytea end
where r.institution_id = :institution_id and r.application_id = any(:applications::uuid[]);
