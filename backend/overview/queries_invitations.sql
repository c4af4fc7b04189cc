-- name: invitable(institution_id, officer_id, outreach, today, since, most)
-- An officer's people whose last case is over or stopped, who have no other and no loan with us, and who agreed to be
-- told of offers; with what the marketing gate asks of each, in one question. The latest movement first.
with mine as (
    select distinct on (customer_id) customer_id, id, application_no, product_code, status, step, updated_at
    from applications.applications
    where institution_id = :institution_id and officer_id = :officer_id and customer_id is not null
    order by customer_id, updated_at desc, id desc
)
select m.customer_id, m.id as application_id, m.application_no, m.product_code, m.status, m.step, m.updated_at,
       (select count(*) from campaigns.touches t
        where t.institution_id = :institution_id and t.customer_id = m.customer_id and t.at >= :since)::int as touches,
       (select max(t.at) from campaigns.touches t
        where t.institution_id = :institution_id and t.customer_id = m.customer_id and t.kind = 'invite') as invited_at,
       exists (select from channels.tickets t
               where t.institution_id = :institution_id and t.customer_id = m.customer_id and t.kind = 'complaint'
                 and t.status = 'open') as complains
from mine m
where m.status = any(:outreach::text[])
  and exists (select from customers.consents c
              where c.institution_id = :institution_id and c.customer_id = m.customer_id and c.purpose = 'marketing'
                and c.withdrawn_at is null and (c.valid_until is null or c.valid_until >= :today))
  and not exists (select from applications.applications o
                  where o.institution_id = :institution_id and o.customer_id = m.customer_id
                    and o.status <> all(:outreach::text[]))
order by m.updated_at desc, m.customer_id
limit :most;

-- name: households(institution_id, officer_id)$
-- All people of an officer.
select count(distinct customer_id) from applications.applications
where institution_id = :institution_id and officer_id = :officer_id;
