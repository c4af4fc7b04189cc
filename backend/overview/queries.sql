-- name: human_actions(application_nos)$
-- Acts of staff on a set of applications, to prove that the pure-online road needs none (A7-01).
-- scope: all institutions, because the report is about numbers from any county; it reads a count only.
select count(*) from audit.entries
where subject = any(:application_nos::text[]) and actor like 'staff:%';

-- name: case_without_end()
-- Submitted, deciding or waiting for a system although all is well again: the road lost it.
-- scope: all institutions, because the invariants are the operator's; ids only.
select institution_id || '/' || application_no as who
from applications.applications
where status in ('submitted', 'deciding', 'held');

-- name: decision_contradicts_status()
-- A case that was decided without a decision on file, or against it.
-- scope: all institutions, because the invariants are the operator's; ids only.
select a.institution_id || '/' || a.application_no || ' ' || a.status || ' ' || coalesce(d.outcome, 'none') as who
from applications.applications a
left join lateral (
    select outcome from decision.decisions d
    where d.institution_id = a.institution_id and d.application_id = a.id
    order by attempt desc limit 1
) d on true
where (a.status in ('approved', 'handed_off', 'signed', 'drawn', 'repaid') and d.outcome is distinct from 'approved'
       and not exists (select from applications.events e where e.institution_id = a.institution_id
                       and e.application_id = a.id and e.from_status = 'referred' and e.to_status = 'approved'))
   or (a.status = 'declined' and d.outcome is distinct from 'declined'
       and not exists (select from decision.assessments s where s.institution_id = a.institution_id
                       and s.application_id = a.id and s.stage = 'pre_screen' and s.outcome = 'not_allowed')
       and not exists (select from applications.events e where e.institution_id = a.institution_id
                       and e.application_id = a.id and e.from_status = 'referred' and e.to_status = 'declined'))
   or (a.status = 'referred' and d.outcome is distinct from 'referred');

-- name: effect_undelivered()
-- An effect that waits, hangs or died.
-- scope: all institutions, because the invariants are the operator's; ids only.
select institution_id || '/' || kind || '/' || id || ' ' || status || ' ' || coalesce(last_error, '') as who
from outbox.effects
where status not in ('delivered', 'overtaken');

-- name: events_with_a_gap()
-- A missing number, or an event that does not begin where the last one ended.
-- scope: all institutions, because the invariants are the operator's; ids only.
select institution_id || '/' || application_id || '#' || seq as who
from (
    select institution_id, application_id, seq, from_status,
           row_number() over chain as expected, lag(to_status) over chain as before
    from applications.events
    window chain as (partition by institution_id, application_id order by seq)
) e
where seq <> expected or (seq > 1 and from_status is distinct from before);

-- name: events_with_a_broken_chain()
-- An event whose hash is not that of its content and the event before.
-- scope: all institutions, because the invariants are the operator's; ids only.
select institution_id || '/' || application_id || '#' || seq as who
from (
    select e.*, lag(hash) over (partition by institution_id, application_id order by seq) as previous
    from applications.events e
) e
where hash <> applications.link(previous, application_id, seq, event, from_status, to_status, who, why, at);

-- name: status_unlike_last_event()
-- The status column and the story disagree.
-- scope: all institutions, because the invariants are the operator's; ids only.
select a.institution_id || '/' || a.application_no as who
from applications.applications a
where a.status is distinct from (
    select to_status from applications.events e
    where e.institution_id = a.institution_id and e.application_id = a.id
    order by seq desc limit 1
);

-- name: message_not_applied()
-- A stored callback that nobody could apply.
-- scope: all institutions, because the invariants are the operator's; ids only.
select institution_id || '/' || source || '/' || message_id as who
from outbox.inbox
where applied_at is null;

-- name: question_without_consent(sources, purposes)
-- An answer about a person that no consent of that person for that purpose covered at the time (D3-09, D3-04). The
-- books' answers of before 0120 carry none; since then no row without a consent can be written.
-- scope: all institutions, because the invariants are the operator's; ids only.
select a.institution_id || '/' || a.application_id || '/' || a.source as who
from evidence.answers a
join applications.applications p on p.institution_id = a.institution_id and p.id = a.application_id
left join unnest(:sources::text[], :purposes::text[]) as needs (source, purpose) on needs.source = a.source
where (a.consent_id is not null or a.source <> 'core_banking') and not exists (
    select from customers.consents c
    where c.institution_id = a.institution_id and c.id = a.consent_id and c.customer_id = p.customer_id
      and c.purpose = needs.purpose and c.given_at <= a.recorded_at
      and (c.valid_until is null or c.valid_until >= (a.observed_at at time zone 'Asia/Shanghai')::date)
      and (c.withdrawn_at is null or c.withdrawn_at > a.observed_at)
)
union all
-- The bureau's consent covers the care of the loan until it is paid off, whatever its days for an approval.
select r.institution_id || '/' || r.application_id || '/post_loan'
from post_loan.bureau_readings r
where not exists (
    select from customers.consents c
    where c.institution_id = r.institution_id and c.id = r.consent_id and c.customer_id = r.customer_id
      and c.purpose = 'bureau_query' and c.given_at <= r.read_at
      and (c.withdrawn_at is null or c.withdrawn_at > r.read_at)
);

-- name: answers_by_source(since)
-- What each source was asked and what it cost.
-- scope: all institutions, because head office watches the sources of all; a county's reader sees its own rows.
select source, rung, count(*) as answers, sum(price_fen)::bigint as cost_fen
from evidence.answers where recorded_at >= :since group by source, rung;

-- name: cases_held()$
-- Cases that wait for a source.
-- scope: all institutions, because head office watches the sources of all; a county's reader sees its own rows.
select count(*) from applications.applications where status = 'held';

-- name: completeness_by_day(since)
-- Of the facts a decision needs, how many it had, day by day.
-- scope: all institutions, because head office watches the data of all; a county's reader sees its own rows.
select (decided_at at time zone 'Asia/Shanghai')::date as day, count(*)::integer as cases,
       avg(completeness_bp)::integer as mean_bp, (count(*) filter (where completeness_bp = 10000))::integer as whole
from decision.decisions where decided_at >= :since group by 1 order by 1;
