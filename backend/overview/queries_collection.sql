-- name: arms(challenge_ids, before, days)
-- How the cases of both sides of each went; of those old enough to tell, how many were paid within the days.
-- scope: all institutions, because head office tries a strategy for every county; counts only.
with c as (
    select challenge_id, institution_id, id, customer_id, arm, opened_on, closed_on
    from post_loan.collection_cases where challenge_id = any(:challenge_ids::uuid[])
)
select c.challenge_id, c.arm, count(*) as cases,
       count(*) filter (where c.opened_on <= :before::date) as known,
       count(*) filter (where c.opened_on <= :before::date and c.closed_on <= c.opened_on + :days::int) as paid,
       coalesce(sum(k.made), 0)::int as contacts, coalesce(sum(k.held), 0)::int as held,
       coalesce(sum(t.complaints), 0)::int as complaints
from c
left join lateral (
    select count(*) filter (where held = '{}') as made, count(*) filter (where held <> '{}') as held
    from post_loan.contacts where institution_id = c.institution_id and case_id = c.id
) k on true
left join lateral (
    select count(*) as complaints from channels.tickets
    where institution_id = c.institution_id and customer_id = c.customer_id and kind = 'complaint'
      and created_at >= c.opened_on and created_at < coalesce(c.closed_on, 'infinity'::date) + 1
) t on true
group by c.challenge_id, c.arm;
