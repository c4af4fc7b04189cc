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
