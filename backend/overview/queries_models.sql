-- name: unobserved(since, most)
-- Decisions whose case the monitors and shadows have not looked at yet, oldest first.
-- scope: all institutions, because one job serves them all in turn; ids only.
select d.institution_id, d.id
from decision.decisions d
where d.decided_at >= :since and not exists (
    select from models.observations o where o.institution_id = d.institution_id and o.decision_id = d.id)
order by d.decided_at, d.id
limit :most;

-- name: score_counts(model_hash, since, edges)
-- How many cases of each county fell between the score's edges of the training sample.
-- scope: all institutions, because a model of the union is watched over all counties; counts only.
select d.institution_id, width_bucket(d.score, :edges::integer[]) as bin, count(*)::integer as cases
from models.observations o
join decision.decisions d on d.institution_id = o.institution_id and d.id = o.decision_id
where o.model_hash = :model_hash and o.at >= :since and d.score is not null
group by d.institution_id, 2;

-- name: verdicts(model_hash, since, today)
-- What became of the cases, by county, officer, sex and age band; `overridden` when a person said otherwise than
-- the machine (a granted request, a referred case decided against the machine's proposal).
-- scope: all institutions, because fairness and approval rates are compared between counties; counts only.
select d.institution_id, coalesce(a.brought_by::text, a.officer_id::text, '') as officer, coalesce(p.sex, '') as sex,
       case when p.birth_on is null then ''
            when age(:today::date, p.birth_on) < interval '30 years' then '29 岁及以下'
            when age(:today::date, p.birth_on) < interval '40 years' then '30 至 39 岁'
            when age(:today::date, p.birth_on) < interval '50 years' then '40 至 49 岁'
            when age(:today::date, p.birth_on) < interval '60 years' then '50 至 59 岁'
            else '60 岁及以上' end as age_band,
       d.outcome = 'approved' or coalesce(r.outcome in ('approved', 'granted'), false) as approved,
       r.outcome is not null as seen_by_person,
       coalesce(case r.kind when 'requested' then r.outcome = 'granted'
                else (r.outcome = 'approved') is distinct from o.proposed end, false) as overridden,
       count(*)::integer as cases
from models.observations o
join decision.decisions d on d.institution_id = o.institution_id and d.id = o.decision_id
join applications.applications a on a.institution_id = d.institution_id and a.id = d.application_id
left join customers.people p on p.institution_id = a.institution_id and p.id = a.customer_id
left join lateral (
    select v.kind, v.outcome from reviews.reviews v
    where v.institution_id = d.institution_id and v.application_id = d.application_id and v.status = 'answered'
    order by v.answered_at desc limit 1
) r on true
where o.model_hash = :model_hash and o.at >= :since and (d.outcome <> 'referred' or r.outcome is not null)
group by 1, 2, 3, 4, 5, 6, 7;

-- name: matured(model_hash, today, most)
-- Scores of loans whose end is known: paid off, or still owing a month after the last due date.
-- scope: all institutions, because discrimination needs all counties' cases; scores and ends only.
select d.institution_id, d.score, (l.status <> 'paid_off')::integer as bad
from models.observations o
join decision.decisions d on d.institution_id = o.institution_id and d.id = o.decision_id
join loans.loans l on l.institution_id = d.institution_id and l.application_id = d.application_id
where o.model_hash = :model_hash and d.score is not null
  and (l.status = 'paid_off'
       or l.drawn_at + make_interval(months => l.term_months) + interval '30 days' < :today::date)
order by l.drawn_at desc
limit :most;
