-- name: unobserved(since, most)
-- Decisions whose case the monitors and shadows have not looked at yet, oldest first.
-- scope: all institutions, because one job serves them all in turn; ids only.
select d.institution_id, d.id
from decision.decisions d
where d.decided_at >= :since and length(d.capsule) > 0 and not exists (
    select from models.observations o where o.institution_id = d.institution_id and o.decision_id = d.id)
order by d.decided_at, d.id
limit :most;

-- name: score_counts(model_hash, since, edges)
-- How many cases of each county fell between the score's edges of the training sample.
-- scope: all institutions, because a model of the union is watched over all counties; counts only.
select d.institution_id, width_bucket(coalesce(o.score, d.score)::float8, :edges::float8[]) as bin, count(*)::integer as cases
from models.asked o
join decision.decisions d on d.institution_id = o.institution_id and d.id = o.decision_id
where o.model_hash = :model_hash and o.at >= :since and coalesce(o.score, d.score) is not null
group by d.institution_id, 2;

-- name: rechecked(model_hash, since)
-- What people said of a model's automatic approvals, by county; one that nobody looked at yet waits.
-- scope: all institutions, because the file of a model is the union's; counts only.
select o.institution_id, count(*) filter (where r.status = 'open')::integer as waiting,
       count(*) filter (where r.status = 'agreed')::integer as agreed,
       count(*) filter (where r.status in ('disagreed', 'settled'))::integer as wrong
from models.asked o
join reviews.rechecks r on r.institution_id = o.institution_id and r.decision_id = o.decision_id
where o.model_hash = :model_hash and r.opened_at >= :since
group by o.institution_id order by o.institution_id;

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
from models.asked o
join decision.decisions d on d.institution_id = o.institution_id and d.id = o.decision_id
join applications.applications a on a.institution_id = d.institution_id and a.id = d.application_id
left join customers.people p on p.institution_id = a.institution_id and p.id = a.customer_id
left join lateral (
    select v.kind, v.outcome from reviews.reviews v
    where v.institution_id = d.institution_id and v.application_id = d.application_id and v.status = 'answered'
      and v.outcome <> 'anew'
    order by v.answered_at desc limit 1
) r on true
where o.model_hash = :model_hash and o.at >= :since and (d.outcome <> 'referred' or r.outcome is not null)
group by 1, 2, 3, 4, 5, 6, 7;

-- name: scored_loans(model_hash, most)
-- Cases of a model that became loans, newest first.
-- scope: all institutions, because discrimination needs all counties' cases; scores only.
select d.institution_id, d.application_id, coalesce(o.score, d.score) as score, true as approved
from models.asked o
join decision.decisions d on d.institution_id = o.institution_id and d.id = o.decision_id
where o.model_hash = :model_hash and coalesce(o.score, d.score) is not null and exists (
    select from loans.loans l where l.institution_id = d.institution_id and l.application_id = d.application_id)
order by d.decided_at desc limit :most;

-- name: loan_histories(institutions, applications)
-- Each loan of some cases with what its plan is made of, and what was repaid and when.
-- scope: all institutions, because discrimination needs all counties' cases; amounts and days without a name.
select l.institution_id, l.application_id, l.amount, l.term_months, l.drawn_at, l.status, c.annual_rate,
       c.repayment_method, r.days, r.principals, r.interests, r.left_over
from unnest(:institutions::text[], :applications::uuid[]) as wanted (institution_id, application_id)
join loans.loans l on l.institution_id = wanted.institution_id and l.application_id = wanted.application_id
join contracts.contracts c on c.institution_id = l.institution_id and c.id = l.contract_id
cross join lateral (
    select coalesce(array_agg(p.at order by p.at), '{}') as days,
           coalesce(array_agg(p.principal order by p.at), '{}') as principals,
           coalesce(array_agg(p.interest order by p.at), '{}') as interests,
           coalesce(array_agg(p.outstanding order by p.at), '{}') as left_over
    from loans.postings p
    where p.institution_id = l.institution_id and p.loan_id = l.id and p.kind = 'repaid'
) r;

-- name: shadow_pairs(model_id, since, most)
-- What a shadow said beside what decided: both scores and the machine's answer.
-- scope: all institutions, because a model of the union is compared over all counties; scores only.
select d.institution_id, d.application_id, d.score, s.score as other, d.outcome = 'approved' as approved
from models.shadow_scores s
join decision.decisions d on d.institution_id = s.institution_id and d.id = s.decision_id
where s.model_id = :model_id and s.at >= :since and s.error = '' and d.score is not null
order by s.at desc limit :most;

-- name: shadow_failures(model_id, since)$
-- How often a shadow fell over.
-- scope: all institutions, because the job serves them all; a count only.
select count(*) from models.shadow_scores where model_id = :model_id and at >= :since and error <> '';

-- name: decided_with(model_hash, since, most)
-- What one model of a line-up did with its share: score and the machine's answer.
-- scope: all institutions, because a line-up is the union's; scores only.
select d.institution_id, d.application_id, d.score, d.outcome = 'approved' as approved
from models.observations o
join decision.decisions d on d.institution_id = o.institution_id and d.id = o.decision_id
where o.model_hash = :model_hash and o.at >= :since and d.score is not null
order by o.at desc limit :most;

-- name: trials_of(model_hash, most)
-- Trial runs whose draft scored with this model: its card is in the plan as the text its hash was taken of.
-- scope: all institutions, because a model of the union is tried by head office and by counties; no customer data.
select r.id, r.strategy, r.against, r.county_name, r.status, r.cases_done, r.asked_at
from trials.runs r
where encode(sha256(convert_to(r.plan -> 'draft' ->> 'card', 'UTF8')), 'hex') = :model_hash
order by r.asked_at desc limit :most;

-- name: loaned_cases(institution_id, after_institution, after, most)
-- Cases with a loan in the order of their key, each by its newest decision; '*' for the whole union.
select a.institution_id, a.id as application_id, d.id, d.capsule
from applications.applications a
join lateral (
    select each.id, each.capsule from decision.decisions each
    where each.institution_id = a.institution_id and each.application_id = a.id and length(each.capsule) > 0
    order by each.decided_at desc limit 1
) d on true
where (:institution_id = '*' or a.institution_id = :institution_id)
    and (a.institution_id, a.id) > (:after_institution, :after::uuid)
    and exists (select from loans.loans l where l.institution_id = a.institution_id and l.application_id = a.id)
order by a.institution_id, a.id limit :most;
