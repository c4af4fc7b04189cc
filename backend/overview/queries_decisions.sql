-- name: found_decisions(institutions, number, since, until, outcome, person, code, product_code, containing, before_at, before_id, most)
-- Decisions that meet every filter given ('' for none), newest first, after a place (the first page: far ahead).
-- Each attempt at a case is a decision of its own; beside it what a person said of the case, the newest word first.
-- scope: all institutions, because head office searches every county; a county's list holds its own id alone, and
-- row-level security keeps the others out.
select d.institution_id, d.id, d.attempt, d.product_code, d.outcome, d.amount_fen, d.annual_rate_bp, d.grade, d.score,
       d.reason_codes, d.decided_at, a.application_no, a.customer_id, r.outcome as person,
       (r.amount * 100)::bigint as person_amount_fen, (r.annual_rate * 10000)::integer as person_rate_bp
from decision.decisions d
join applications.applications a on a.institution_id = d.institution_id and a.id = d.application_id
left join lateral (
    select coalesce(x.outcome, x.status) as outcome, x.amount, x.annual_rate from reviews.reviews x
    where x.institution_id = a.institution_id and x.application_id = a.id
    order by x.opened_at desc limit 1
) r on true
where d.institution_id = any(:institutions::text[]) and d.decided_at >= :since and d.decided_at < :until
    and (:number = '' or a.application_no = :number)
    and (:outcome = '' or d.outcome = :outcome)
    and (:person = '' or r.outcome = :person)
    and (:code = '' or :code = any(d.reason_codes))
    and (:product_code = '' or d.product_code = :product_code)
    and d.versions @> :containing::jsonb
    and (d.decided_at, d.id) < (:before_at, :before_id::uuid)
order by d.decided_at desc, d.id desc
limit :most;

-- name: counted_decisions(institutions, number, since, until, outcome, person, code, product_code, containing)
-- How many there are of each outcome, with the same filters.
-- scope: all institutions, because head office searches every county; a county's list holds its own id alone, and
-- row-level security keeps the others out.
select d.outcome, count(*)
from decision.decisions d
join applications.applications a on a.institution_id = d.institution_id and a.id = d.application_id
left join lateral (
    select coalesce(x.outcome, x.status) as outcome from reviews.reviews x
    where x.institution_id = a.institution_id and x.application_id = a.id
    order by x.opened_at desc limit 1
) r on true
where d.institution_id = any(:institutions::text[]) and d.decided_at >= :since and d.decided_at < :until
    and (:number = '' or a.application_no = :number)
    and (:outcome = '' or d.outcome = :outcome)
    and (:person = '' or r.outcome = :person)
    and (:code = '' or :code = any(d.reason_codes))
    and (:product_code = '' or d.product_code = :product_code)
    and d.versions @> :containing::jsonb
group by d.outcome;
