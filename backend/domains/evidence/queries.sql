-- name: store(institution_id, application_id, source, consent_id, reference, sha256, facts, raw, observed_at, price_fen, rung, taken_from, now)$
-- The first answer of a source counts for the case; a second one changes nothing.
insert into evidence.answers (institution_id, application_id, source, consent_id, reference, sha256, facts, raw,
    observed_at, price_fen, rung, taken_from, recorded_at)
values (:institution_id, :application_id, :source, :consent_id, :reference, :sha256, :facts, :raw, :observed_at,
        :price_fen, :rung, :taken_from, :now)
on conflict do nothing
returning true;

-- name: answers(institution_id, application_id)
-- Everything known so far about one case; not the bytes as they came, which only a copy of the answer needs.
select source, consent_id, reference, sha256, facts, observed_at, price_fen, rung, taken_from
from evidence.answers
where institution_id = :institution_id and application_id = :application_id and length(facts) > 0;

-- name: cached(institution_id, earlier, source, consent_id, since)^
-- The newest answer this source gave in an earlier case of the person, under the very consent that stands for this one.
select a.application_id, a.source, a.consent_id, a.reference, a.sha256, a.facts, a.raw, a.observed_at, a.price_fen,
       a.rung, a.taken_from
from evidence.answers a
where a.institution_id = :institution_id and a.application_id = any(:earlier::uuid[])
  and a.source = :source and a.consent_id = :consent_id
  and a.rung = 'fresh' and a.observed_at >= :since
order by a.observed_at desc limit 1;

-- name: breakers()
-- scope: all institutions, because a source is one for the whole union; no customer data.
select source, state, failures, failed_at, retry_at, last_error, changed_at, held_until, note, noted_by
from evidence.breakers;

-- name: stop(source, until, note, who, now)!
-- scope: all institutions, because a source is one for the whole union; no customer data.
-- Nobody asks it before `until`, whatever it answers meanwhile.
insert into evidence.breakers as b (source, state, failures, failed_at, retry_at, last_error, changed_at, held_until,
    note, noted_by)
values (:source, 'open', 0, null, :until, 'by_hand', :now, :until, :note, :who)
on conflict (source) do update set state = 'open', retry_at = excluded.retry_at, last_error = 'by_hand',
    changed_at = excluded.changed_at, held_until = excluded.held_until, note = excluded.note,
    noted_by = excluded.noted_by;

-- name: resume(source, note, who, now)$
-- scope: all institutions, because a source is one for the whole union; no customer data.
-- Asked again from now on. Null when it is asked anyway.
update evidence.breakers set state = 'closed', failures = 0, retry_at = null, held_until = null, changed_at = :now,
    note = :note, noted_by = :who
where source = :source and state <> 'closed'
returning true;

-- name: probe(source, now, until)$
-- scope: all institutions, because a source is one for the whole union; no customer data.
-- An open breaker lets one call through once its pause is over: whoever gets here first. A caller that died is
-- followed by another when its own time is over. A closed breaker lets everybody through.
with taken as (
    update evidence.breakers set state = 'half_open', retry_at = :until, changed_at = :now
    where source = :source and state <> 'closed' and retry_at <= :now
    returning true
)
select exists (select from taken)
    or not exists (select from evidence.breakers where source = :source and state <> 'closed');

-- name: fail(source, now, why, most, since, retry_at)$
-- scope: all institutions, because a source is one for the whole union; no customer data.
-- One failure more. Failures of before the window are forgotten; a failed probe opens again at once, and what was
-- under way when it opened changes nothing.
insert into evidence.breakers as b (source, state, failures, failed_at, retry_at, last_error, changed_at)
values (:source, case when :most::integer <= 1 then 'open' else 'closed' end, 1, :now,
        case when :most::integer <= 1 then :retry_at::timestamptz end, :why, :now)
on conflict (source) do update set
    failures = case when b.state = 'closed' and b.failed_at < :since then 1 else b.failures + 1 end,
    failed_at = excluded.failed_at,
    last_error = excluded.last_error,
    state = case when b.state <> 'closed'
        or (case when b.failed_at < :since then 1 else b.failures + 1 end) >= :most::integer
        then 'open' else 'closed' end,
    retry_at = case when b.state = 'open' or b.held_until > :now then b.retry_at
        when b.state = 'half_open'
        or (case when b.failed_at < :since then 1 else b.failures + 1 end) >= :most::integer
        then :retry_at::timestamptz end,
    changed_at = case when b.state = 'closed'
        and (case when b.failed_at < :since then 1 else b.failures + 1 end) < :most::integer
        then b.changed_at when b.state = 'open' then b.changed_at else excluded.changed_at end
returning state;

-- name: succeed(source, now)$
-- scope: all institutions, because a source is one for the whole union; no customer data.
-- An answer came: it takes one failure back, and it closes a breaker that was not closed. True when it did close.
with before as (select state from evidence.breakers where source = :source for update)
update evidence.breakers b set
    state = 'closed',
    failures = case when before.state = 'closed' then greatest(b.failures - 1, 0) else 0 end,
    retry_at = null,
    changed_at = case when before.state = 'closed' then b.changed_at else :now end
from before
where b.source = :source and (b.held_until is null or b.held_until <= :now)
returning before.state <> 'closed';
