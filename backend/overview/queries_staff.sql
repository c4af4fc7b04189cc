-- name: waiting_reviews(institution_id, me, now, most)
-- Cases before a person, what is due first on top, and who has the ball: the reviewers, the second
-- of them, or the officer asked. What another has to answer before I go on (`elsewhere`) comes last, until it is late.
select r.id, r.kind, r.ground, r.due_at, r.opened_at, a.id as application_id, a.application_no, a.customer_id,
       a.product_code, a.amount_fen, a.officer_id, s.name as asked_officer,
       e.maker as wished_by,
       r.due_at >= :now and (i.id is not null or coalesce(e.maker = :me, false)) as elsewhere
from reviews.reviews r
join applications.applications a on a.institution_id = r.institution_id and a.id = r.application_id
left join reviews.inquiries i
       on i.institution_id = r.institution_id and i.review_id = r.id and i.answered_at is null
left join reviews.exceedings e
       on e.institution_id = r.institution_id and e.review_id = r.id and e.status = 'proposed'
left join identity.staff s on s.institution_id = i.institution_id and s.id = i.officer_id
where r.institution_id = :institution_id and r.status = 'open'
order by elsewhere, r.due_at, r.id
limit :most;

-- name: waiting_counts(institution_id)^
-- How much waits in all: the lists show only the most urgent of it.
select (select count(*) from reviews.reviews r
        where r.institution_id = :institution_id and r.status = 'open') as cases,
       (select count(*) from channels.tickets t
        where t.institution_id = :institution_id and t.status = 'open') as tickets,
       (select count(*) from campaigns.reports p
        where p.institution_id = :institution_id and p.answered_at is null) as reports,
       (select count(*) from reviews.rechecks k
        where k.institution_id = :institution_id and k.status = 'open') as rechecks,
       (select count(*) from reviews.rechecks k
        where k.institution_id = :institution_id and k.status = 'disagreed') as wrong,
       (select count(*) from outbox.effects e
        where e.institution_id = :institution_id and e.status = 'dead') as dead;

-- name: county_loads(today, now, union_id, union_name)
-- Head office's view: how much waits in each county, and how much of it is late; last the union itself, which
-- keeps what came through no county.
-- scope: all institutions, because head office answers for every county; counts only.
select i.id, i.short_name,
       (select count(*) from reviews.reviews r where r.institution_id = i.id and r.status = 'open') as reviews,
       (select count(*) from reviews.reviews r
        where r.institution_id = i.id and r.status = 'open' and r.due_at < :now) as late_reviews,
       (select count(*) from channels.tickets t where t.institution_id = i.id and t.status = 'open') as tickets,
       (select count(*) from channels.tickets t
        where t.institution_id = i.id and t.status = 'open' and t.due_at < :now) as late_tickets,
       (select count(*) from campaigns.reports p where p.institution_id = i.id and p.answered_at is null) as reports,
       (select count(*) from outbox.effects e where e.institution_id = i.id and e.status = 'dead') as dead,
       (select count(*) from applications.applications a
        where a.institution_id = i.id and a.submitted_at >= :today) as submitted_today
from (select id, short_name, position from institutions.institutions
      union all select :union_id, :union_name, null) i
order by i.position nulls last, i.id;

-- name: left_behind(institution_id)
-- Officers who left, the last one first, and what nobody looks after since: people (an account that has not said who
-- it is counts as one), open cases, chats, calls promised, questions of reviewers, warnings, collection
-- cases, unfinished surveys.
select s.id, s.name, s.staff_no, s.left_at,
       (select count(distinct coalesce(a.customer_id::text, a.openid, a.id::text)) from applications.applications a
        where a.institution_id = :institution_id and a.officer_id = s.id) as people,
       (select count(*) from applications.applications a
        where a.institution_id = :institution_id and a.officer_id = s.id
          and a.status in ('draft', 'submitted', 'deciding', 'referred', 'held', 'approved', 'handed_off')) as open_cases,
       (select count(*) from channels.followers f
        where f.institution_id = :institution_id and f.officer_id = s.id) as followers,
       (select count(*) from channels.tickets t
        where t.institution_id = :institution_id and t.owner_id = s.id and t.status = 'open') as calls,
       (select count(*) from reviews.inquiries i
        join reviews.reviews r on r.institution_id = i.institution_id and r.id = i.review_id
        where i.institution_id = :institution_id and i.officer_id = s.id and i.answered_at is null
          and r.status = 'open') as questions,
       (select count(*) from post_loan.warnings w
        where w.institution_id = :institution_id and w.owner_id = s.id and w.status <> 'cleared') as warnings,
       (select count(*) from post_loan.collection_cases k
        where k.institution_id = :institution_id and k.owner_id = s.id and k.status = 'open') as collections,
       (select count(*) from surveys.surveys v
        where v.institution_id = :institution_id and v.officer_id = s.id
          and v.status in ('draft', 'returned')) as surveys
from identity.staff s
where s.institution_id = :institution_id and not s.active and 'officer' = any(s.roles)
order by s.left_at desc nulls last, s.staff_no;

-- name: officer_today(institution_id, officer_id, today)^
-- What an officer's codes brought since midnight: people who scanned (the bot and the page write a
-- row each), applications handed in, approvals, money drawn.
select (select count(distinct s.visitor) from campaigns.codes c
        join campaigns.scans s on s.institution_id = c.institution_id and s.code_id = c.id and s.at >= :today
        where c.institution_id = :institution_id and c.officer_id = :officer_id) as scans,
       (select count(*) from applications.applications a
        where a.institution_id = :institution_id and a.officer_id = :officer_id and a.submitted_at >= :today) as submitted,
       (select count(*) from applications.applications a
        join contracts.contracts c on c.institution_id = a.institution_id and c.application_id = a.id
        where a.institution_id = :institution_id and a.officer_id = :officer_id and a.decided_at >= :today) as approved,
       (select count(*) from applications.applications a
        join loans.loans l on l.institution_id = a.institution_id and l.application_id = a.id
        join loans.postings p on p.institution_id = l.institution_id and p.loan_id = l.id and p.kind = 'drawn'
        where a.institution_id = :institution_id and a.officer_id = :officer_id and p.at >= :today) as drawn,
       (select coalesce(sum(p.principal), 0) from applications.applications a
        join loans.loans l on l.institution_id = a.institution_id and l.application_id = a.id
        join loans.postings p on p.institution_id = l.institution_id and p.loan_id = l.id and p.kind = 'drawn'
        where a.institution_id = :institution_id and a.officer_id = :officer_id and p.at >= :today) as drawn_amount,
       (select count(distinct a.customer_id) from applications.applications a
        where a.institution_id = :institution_id and a.officer_id = :officer_id) as households;

-- name: officer_funnel(institution_id, officer_id, since)^
-- From the scan to the money, for applications begun since a day; each phone counts once.
with mine as (
    select id, submitted_at from applications.applications
    where institution_id = :institution_id and officer_id = :officer_id and created_at >= :since
)
select (select count(distinct s.visitor) from campaigns.codes c
        join campaigns.scans s on s.institution_id = c.institution_id and s.code_id = c.id and s.at >= :since
        where c.institution_id = :institution_id and c.officer_id = :officer_id) as visitors,
       (select count(*) from mine) as begun,
       (select count(*) from mine where submitted_at is not null) as submitted,
       (select count(*) from mine join contracts.contracts c
        on c.institution_id = :institution_id and c.application_id = mine.id) as approved,
       (select count(*) from mine where exists (
            select from loans.loans l
            where l.institution_id = :institution_id and l.application_id = mine.id)) as drawn;

-- name: officer_drawdowns(institution_id, officer_id, since, most)
-- Drawdowns held for a person, of lines this officer looks after; not those whose customer got the money since.
select d.id
from post_loan.drawdown_checks d
join applications.applications a on a.institution_id = d.institution_id and a.id = d.application_id
where d.institution_id = :institution_id and a.officer_id = :officer_id and d.status = 'held' and d.asked_at >= :since
  and cardinality(d.reason_codes) > 0
  and not exists (select from post_loan.drawdown_checks l
                  where l.institution_id = d.institution_id and l.application_id = d.application_id
                    and l.asked_at > d.asked_at)
order by d.asked_at
limit :most;

-- name: officer_drafts(institution_id, officer_id, since, most)
-- Who stopped on the road lately, the freshest first: a call now helps most.
select a.id, a.application_no, a.customer_id, a.product_code, a.step, a.updated_at, c.placement_label,
       exists (select from customers.consents m
               where m.institution_id = a.institution_id and m.customer_id = a.customer_id and m.purpose = 'marketing'
                 and m.withdrawn_at is null) as agreed
from applications.applications a
left join campaigns.codes c on c.institution_id = a.institution_id and c.id::text = a.code_id
where a.institution_id = :institution_id and a.officer_id = :officer_id and a.status = 'draft' and a.updated_at >= :since
order by a.updated_at desc
limit :most;

-- name: officer_offers(institution_id, officer_id, most)
-- Approved and not yet signed, what ends first on top.
select a.id, a.application_no, a.customer_id, a.product_code, a.status, a.amount_fen, c.valid_until, c.limit_amount
from applications.applications a
join contracts.contracts c on c.institution_id = a.institution_id and c.application_id = a.id
where a.institution_id = :institution_id and a.officer_id = :officer_id and a.status in ('approved', 'handed_off')
order by c.valid_until, a.updated_at
limit :most;

-- name: officer_cases(institution_id, officer_id, statuses, before_at, before_id, most)
-- An officer's customers by page, the latest movement first; the index officers_cases holds the order.
select id, application_no, customer_id, product_code, status, step, amount_fen, channel, updated_at
from applications.applications
where institution_id = :institution_id and officer_id = :officer_id and status = any(:statuses::text[])
  and (updated_at, id) < (coalesce(cast(:before_at as timestamptz), 'infinity'),
                          coalesce(cast(:before_id as uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
order by updated_at desc, id desc
limit :most;

-- name: lines_unlooked(today, after_institution, after_application, most)
-- Lines with a loan that nobody looked at today, in the order of their ids.
-- scope: all institutions, because the night works for every county in turn; ids only.
select l.institution_id, l.application_id
from loans.loans l
left join post_loan.looks k on k.institution_id = l.institution_id and k.application_id = l.application_id
where l.status = 'active' and (k.looked_on is null or k.looked_on < :today)
  and (l.institution_id, l.application_id) > (:after_institution::text, cast(:after_application as uuid))
group by l.institution_id, l.application_id
order by l.institution_id, l.application_id
limit :most;

-- name: lines_not_looked_for_dues(today, after_institution, after_application, most)
-- Lines with a loan that were not looked at today for instalments that are due soon, in the order of their ids.
-- scope: all institutions, because the job works for every county in turn; ids only.
select l.institution_id, l.application_id
from loans.loans l
left join post_loan.due_looks k on k.institution_id = l.institution_id and k.application_id = l.application_id
where l.status = 'active' and (k.looked_on is null or k.looked_on < :today)
  and (l.institution_id, l.application_id) > (:after_institution::text, cast(:after_application as uuid))
group by l.institution_id, l.application_id
order by l.institution_id, l.application_id
limit :most;
