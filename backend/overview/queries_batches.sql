-- name: batch_size(institution_id, borrowers)$
-- Customers a batch has before it; those with a loan that is not paid off where `borrowers`. '*' for the whole union.
select count(*) from customers.people p
where p.status <> 'erased' and (:institution_id = '*' or p.institution_id = :institution_id)
    and exists (
        select from applications.applications a
        join decision.decisions d on d.institution_id = a.institution_id and d.application_id = a.id
        where a.institution_id = p.institution_id and a.customer_id = p.id)
    and (not :borrowers or exists (
        select from applications.applications a
        join loans.loans l on l.institution_id = a.institution_id and l.application_id = a.id
        where a.institution_id = p.institution_id and a.customer_id = p.id and l.status = 'active'));

-- name: batch_page(institution_id, after_institution, after, borrowers, today, most)
-- Those customers in the order of their key, each by the newest decision, with the consents that stand.
select p.institution_id, p.id as customer_id, n.application_no, n.id as decision_id, n.capsule, n.score,
    array(select c.id::text from customers.consents c
        where c.institution_id = p.institution_id and c.customer_id = p.id and c.withdrawn_at is null
            and (c.valid_until is null or c.valid_until >= :today)) as consents
from customers.people p
cross join lateral (
    select d.id, d.capsule, d.score, a.application_no
    from applications.applications a
    join decision.decisions d on d.institution_id = a.institution_id and d.application_id = a.id
    where a.institution_id = p.institution_id and a.customer_id = p.id
    order by d.decided_at desc, d.id desc limit 1) n
where p.status <> 'erased' and (:institution_id = '*' or p.institution_id = :institution_id)
    and (p.institution_id, p.id) > (:after_institution, :after::uuid)
    and (not :borrowers or exists (
        select from applications.applications a
        join loans.loans l on l.institution_id = a.institution_id and l.application_id = a.id
        where a.institution_id = p.institution_id and a.customer_id = p.id and l.status = 'active'))
order by p.institution_id, p.id limit :most;
