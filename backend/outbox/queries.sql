-- name: insert_effect(institution_id, id, kind, case_id, key, payload, now, due_at)$
-- Written with the change that causes it; the same key again is the same effect and changes nothing.
insert into outbox.effects (institution_id, id, kind, case_id, key, payload, due_at, created_at)
values (:institution_id, :id, :kind, :case_id, :key, :payload, :due_at, :now)
on conflict (institution_id, kind, key) do nothing
returning id;

-- name: insert_called(institution_id, id, kind, case_id, key, payload, now, due_at)$
-- As `insert_effect`, and called out to the workers at the commit (`queue.calls`).
with added as (
    insert into outbox.effects (institution_id, id, kind, case_id, key, payload, due_at, created_at)
    values (:institution_id, :id, :kind, :case_id, :key, :payload, :due_at, :now)
    on conflict (institution_id, kind, key) do nothing
    returning institution_id, id
)
select a.id from added a, pg_notify('first_effect', a.institution_id || '/' || a.id);

-- name: insert_overtaking(institution_id, id, kind, case_id, key, payload, now, due_at, overtakes)$
-- As `insert_effect`; one that waits and says what is no longer so is done with.
with gone as (
    update outbox.effects set status = 'overtaken'
    where institution_id = :institution_id and kind = :kind and key = :overtakes
      and status = 'waiting' and attempts = 0
)
insert into outbox.effects (institution_id, id, kind, case_id, key, payload, due_at, created_at)
values (:institution_id, :id, :kind, :case_id, :key, :payload, :due_at, :now)
on conflict (institution_id, kind, key) do nothing
returning id;

-- name: recover(institution_id, id, now, most, since, jitter, error)!
-- A lease that ran out: its worker died or stood still. Back it goes: at once, then later each time.
update outbox.effects
set status = case when lost + 1 >= :most::int and created_at <= :since::timestamptz then 'dead' else 'waiting' end,
    lost = lost + 1,
    due_at = :now::timestamptz + make_interval(secs => least(30, power(2, least(lost, 10)) - 1) * :jitter::float8),
    leased_until = null, last_error = :error
where institution_id = :institution_id and id = :id and status = 'delivering' and leased_until < :now;

-- name: lease(institution_id, id, now, until)^
-- One worker at a time. Counts the attempt now, so that an effect that kills its worker is counted too; the
-- count is what tells this delivery from a later one.
update outbox.effects
set status = 'delivering', attempts = attempts + 1, leased_until = :until
where institution_id = :institution_id and id = :id and status = 'waiting' and due_at <= :now
returning id, kind, case_id, key, payload, attempts, created_at, last_error;

-- name: hold(institution_id, id, now)^
-- For a delivery that ends with the transaction; what another has in hand is theirs.
select id, kind, case_id, key, payload, attempts, created_at, last_error
from outbox.effects
where institution_id = :institution_id and id = :id and status = 'waiting' and due_at <= :now
for update skip locked;

-- name: keep(institution_id, id, attempts, until)$
-- The delivery goes on; the one who counted this attempt holds it.
update outbox.effects
set leased_until = :until
where institution_id = :institution_id and id = :id and status = 'delivering' and attempts = :attempts
returning true;

-- name: delivered(institution_id, id, now)!
-- The other side has it, whichever attempt says so: that of a worker that stood still counts as well.
update outbox.effects
set status = 'delivered', delivered_at = :now, leased_until = null, last_error = null,
    attempts = greatest(attempts, 1)
where institution_id = :institution_id and id = :id and status in ('delivering', 'waiting');

-- name: hasten(institution_id, kind, error, now)!
-- A system is back: what waits for it, or because of the same failure, goes out within seconds, spread a little. Who
-- has one of them in hand just now is not waited for.
update outbox.effects
set due_at = :now::timestamptz + make_interval(secs => random() * 5)
where institution_id = :institution_id and id in (
    select id from outbox.effects
    where institution_id = :institution_id and kind = :kind and status = 'waiting' and last_error is not null
      and (last_error = :error and due_at > :now::timestamptz + interval '5 seconds'
           or right(last_error, 12) = '_unavailable' and due_at > :now::timestamptz + interval '30 seconds')
    for update skip locked);

-- name: postpone(institution_id, id, attempts, due_at, error)!
-- Not delivered; tried again later.
update outbox.effects
set status = 'waiting', due_at = :due_at, leased_until = null, last_error = :error, lost = 0
where institution_id = :institution_id and id = :id and status = 'delivering' and attempts = :attempts;

-- name: give_up(institution_id, id, attempts, error)!
-- The dead letter, shown to staff.
update outbox.effects
set status = 'dead', leased_until = null, last_error = :error
where institution_id = :institution_id and id = :id and status = 'delivering' and attempts = :attempts;

-- name: alarms()
-- scope: all institutions, because the operator hears of every dead letter. Counts and codes only.
select institution_id, kind, count(*), min(created_at), max(last_error)
from outbox.effects
where status = 'dead'
group by institution_id, kind
order by institution_id, kind;

-- name: failing(attempts)
-- scope: all institutions, because the operator hears of what fails again and again before it gives up. Counts and
-- codes only.
select institution_id, kind, count(*), min(created_at), max(last_error)
from outbox.effects
where status = 'waiting' and last_error is not null and attempts >= :attempts
group by institution_id, kind
order by institution_id, kind;

-- name: forget_payload(institution_id, id, payload)!
-- What it carried was a secret and has been used; the row and its key stay.
update outbox.effects set payload = :payload where institution_id = :institution_id and id = :id;

-- name: revive(institution_id, id, now)!
-- A member of staff sends a dead letter once more.
update outbox.effects
set status = 'waiting', due_at = :now, lost = 0
where institution_id = :institution_id and id = :id and status = 'dead';

-- name: overdue(now, most)
-- scope: all institutions, because the sweep finds what lost its queue job, whosever it is. Ids only.
select institution_id, id, attempts
from outbox.effects
where (status = 'waiting' and due_at <= :now) or (status = 'delivering' and leased_until < :now)
order by due_at
limit :most;

-- name: dead(institution_id, most, skipped)
-- Dead letters of one institution for its staff.
select id, kind, case_id, key, attempts, last_error, created_at
from outbox.effects
where institution_id = :institution_id and status = 'dead'
order by created_at, id
limit :most offset :skipped;

-- name: dead_total(institution_id)$
-- How many dead letters an institution has.
select count(*) from outbox.effects where institution_id = :institution_id and status = 'dead';

-- name: is_dead(institution_id, id)$
-- Whether an effect is a dead letter of this institution.
select exists (select from outbox.effects
               where institution_id = :institution_id and id = :id and status = 'dead');

-- name: of_case(institution_id, case_id)
-- Everything one case caused outside, for the support desk.
select id, kind, key, status, attempts, last_error, created_at, delivered_at
from outbox.effects
where institution_id = :institution_id and case_id = :case_id
order by created_at;

-- name: receive(institution_id, source, message_id, case_id, payload, now)$
-- Store first, understand later; a repeat returns nothing.
insert into outbox.inbox (institution_id, source, message_id, case_id, payload, received_at)
values (:institution_id, :source, :message_id, :case_id, :payload, :now)
on conflict do nothing
returning true;

-- name: unapplied(institution_id, source, case_id)
-- Messages about one case that could not be applied yet, oldest first; locked, so that two callbacks at once
-- apply them one after the other.
select message_id, payload, received_at
from outbox.inbox
where institution_id = :institution_id and source = :source and case_id = :case_id and applied_at is null
order by received_at, message_id
for update;

-- name: applied(institution_id, source, message_id, now, outcome)!
-- The message has had its effect, or is known to have none.
update outbox.inbox set applied_at = :now, outcome = :outcome
where institution_id = :institution_id and source = :source and message_id = :message_id;

-- name: request_with(key)^
-- scope: all institutions, because the key is looked up before it is known which of them its request works for.
select institution_id, request_hash, outcome, leased_until, answered_at, answer from outbox.request_with(:key);

-- name: claim_request(institution_id, key, request_hash, now, until)$
-- In the transaction of the change itself. A second one with the key waits here until the first has committed.
insert into outbox.idempotency (institution_id, key, request_hash, leased_until, created_at)
values (:institution_id, :key, :request_hash, :until, :now)
on conflict do nothing
returning true;

-- name: take_over_request(institution_id, key, seen, until)$
-- Whoever claimed it died, or answered with an error: one of those who ask again goes on.
update outbox.idempotency set leased_until = :until
where institution_id = :institution_id and key = :key and answered_at is null and leased_until = :seen
returning true;

-- name: release_request(institution_id, key, now)!
-- It came to no answer that lasts: a repeat may run at once.
update outbox.idempotency set leased_until = :now
where institution_id = :institution_id and key = :key and answered_at is null;

-- name: keep_outcome(institution_id, key, outcome)!
-- What the change made, in the transaction of the change.
update outbox.idempotency set outcome = :outcome where institution_id = :institution_id and key = :key;

-- name: answer_request(institution_id, key, answer, now)
-- Said once; a repeat gets the same. A transaction of its own.
select outbox.answer_request(:institution_id, :key, :answer, :now);

-- name: institutions_with_answers(before)
-- scope: all institutions, because the clock empties old answers of each in turn. Ids only.
select distinct institution_id from outbox.idempotency where answer is not null and answered_at < :before;

-- name: forget_answers(institution_id, before)
-- The answer has served; key and request hash stay.
update outbox.idempotency set answer = null
where institution_id = :institution_id and answer is not null and answered_at < :before
returning key;

-- name: forget_dead(institution_id, cases)!
-- What could not be delivered to somebody forgotten will not be.
delete from outbox.effects
where institution_id = :institution_id and case_id = any(:cases::text[]) and status = 'dead';

-- name: forget_payloads(institution_id, cases)!
-- What was delivered about some cases, and what came in, is empty from now on; rows and keys stay.
with messages as (
    update outbox.inbox set payload = '\x'
    where institution_id = :institution_id and case_id = any(:cases::text[]) and applied_at is not null
)
update outbox.effects set payload = '\x'
where institution_id = :institution_id and case_id = any(:cases::text[]) and status in ('delivered', 'overtaken');

-- name: forget_nobodys(institution_id, before)!
-- What was delivered about no case at all, such as what WeChat reports of an account.
update outbox.effects set payload = '\x'
where institution_id = :institution_id and case_id = '' and status = 'delivered' and delivered_at < :before
  and length(payload) > 0;
