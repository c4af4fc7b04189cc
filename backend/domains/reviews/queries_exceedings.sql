-- name: propose(institution_id, id, review_id, outcome, amount, annual_rate, term_months, reason, exceeded, why, maker, now)$
-- Null when one waits already.
insert into reviews.exceedings (institution_id, id, review_id, outcome, amount, annual_rate, term_months, reason,
                                exceeded, why, maker, proposed_at)
values (:institution_id, :id, :review_id, :outcome, :amount, :annual_rate, :term_months, :reason, :exceeded,
        :why, :maker, :now)
on conflict do nothing
returning true;

-- name: of_review(institution_id, review_id)
-- All of a review, oldest first; at most one waits.
select id, review_id, status, outcome, amount, annual_rate, term_months, reason, exceeded, why, maker, proposed_at,
       checker, found, checked_at
from reviews.exceedings where institution_id = :institution_id and review_id = :review_id
order by proposed_at, id;

-- name: end(institution_id, id, status, checker, found, now)!
-- Compare and set; who may end it how is the table's own check.
update reviews.exceedings set status = :status, checker = :checker, found = :found, checked_at = :now
where institution_id = :institution_id and id = :id and status = 'proposed';
