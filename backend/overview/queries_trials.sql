-- name: decided_count(institution_id)$
-- How many decisions a trial over the history has before it; '*' for the whole union.
select count(*) from decision.decisions where :institution_id = '*' or institution_id = :institution_id;

-- name: decided_page(institution_id, after_institution, after, most)
-- Stored decisions in the order of their key, with the applicant's sex for the groups of a trial; '*' for the union.
select d.id, d.institution_id, d.capsule, coalesce(p.sex, '') as sex
from decision.decisions d
left join applications.applications a on a.institution_id = d.institution_id and a.id = d.application_id
left join customers.people p on p.institution_id = a.institution_id and p.id = a.customer_id
where (:institution_id = '*' or d.institution_id = :institution_id)
    and (d.institution_id, d.id) > (:after_institution, :after::uuid)
order by d.institution_id, d.id limit :most;
