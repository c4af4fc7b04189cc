-- name: add(institution_id, id, customer_id, application_id, kind, assessment_id, by_whom, now)!
-- Somebody set out to win a person.
insert into campaigns.touches (institution_id, id, customer_id, application_id, kind, assessment_id, by_whom, at)
values (:institution_id, :id, :customer_id, :application_id, :kind, :assessment_id, :by_whom, :now);

-- name: count(institution_id, customer_id, since)$
-- What the gate counts.
select count(*) from campaigns.touches
where institution_id = :institution_id and customer_id = :customer_id and at >= :since;
