-- name: decided_count(institution_id, only, share)$
-- How many decisions a trial over the history has before it; '*' for the whole union, of it those in `only` where any
-- are named. `share` of 65536, drawn by the last two bytes of the id, which are random: a trial of some sees all
-- counties and years alike. Cases whose person was forgotten (D7) have no facts left and do not count.
select count(*) from decision.decisions
where (:institution_id = '*' or institution_id = :institution_id)
    and (cardinality(:only::text[]) = 0 or institution_id = any(:only::text[]))
    and length(capsule) > 0 and get_byte(uuid_send(id), 14) * 256 + get_byte(uuid_send(id), 15) < :share;

-- name: decided_products(institution_id, only)
-- What a trial's versions must be gathered for; '*' for the whole union.
select distinct institution_id, product_code from decision.decisions
where (:institution_id = '*' or institution_id = :institution_id)
    and (cardinality(:only::text[]) = 0 or institution_id = any(:only::text[]))
order by institution_id, product_code;

-- name: decided_page(institution_id, only, after_institution, after, most, share)
-- Stored decisions in the order of their key, with the applicant's sex for the groups of a trial; '*' for the union.
select d.id, d.institution_id, d.capsule, coalesce(p.sex, '') as sex
from decision.decisions d
left join applications.applications a on a.institution_id = d.institution_id and a.id = d.application_id
left join customers.people p on p.institution_id = a.institution_id and p.id = a.customer_id
where (:institution_id = '*' or d.institution_id = :institution_id)
    and (cardinality(:only::text[]) = 0 or d.institution_id = any(:only::text[]))
    and (d.institution_id, d.id) > (:after_institution, :after::uuid)
    and length(d.capsule) > 0 and get_byte(uuid_send(d.id), 14) * 256 + get_byte(uuid_send(d.id), 15) < :share
order by d.institution_id, d.id limit :most;
