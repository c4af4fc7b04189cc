-- name: invite(institution_id, id, application_id, borrower_id, token_hash, amount, line_until, until_on, expires_at, now)!
-- A link that the borrower passes on.
insert into guarantees.guarantees (institution_id, id, application_id, borrower_id, token_hash, amount, line_until,
    until_on, expires_at, created_at, updated_at)
values (:institution_id, :id, :application_id, :borrower_id, :token_hash, :amount, :line_until, :until_on, :expires_at,
    :now, :now);

-- name: get(institution_id, id)^
-- One guarantee.
select institution_id, id, application_id, borrower_id, status, step, session_id, guarantor_id, liveness, liveness_session,
       amount, line_until, until_on, terms_version, terms_sha256, confirmed_at, why, created_at, expires_at, ended_at
from guarantees.guarantees where institution_id = :institution_id and id = :id;

-- name: get_locked(institution_id, id)^
-- As above, and nobody else moves it until this transaction ends.
select institution_id, id, application_id, borrower_id, status, step, session_id, guarantor_id, liveness, liveness_session,
       amount, line_until, until_on, terms_version, terms_sha256, confirmed_at, why, created_at, expires_at, ended_at
from guarantees.guarantees where institution_id = :institution_id and id = :id for update;

-- name: by_token(institution_id, token_hash)^
-- Whose link this is.
select institution_id, id, application_id, borrower_id, status, step, session_id, guarantor_id, liveness, liveness_session,
       amount, line_until, until_on, terms_version, terms_sha256, confirmed_at, why, created_at, expires_at, ended_at
from guarantees.guarantees where institution_id = :institution_id and token_hash = :token_hash;

-- name: of_session(institution_id, session_id)^
-- What the guarantor's browser works on.
select institution_id, id, application_id, borrower_id, status, step, session_id, guarantor_id, liveness, liveness_session,
       amount, line_until, until_on, terms_version, terms_sha256, confirmed_at, why, created_at, expires_at, ended_at
from guarantees.guarantees where institution_id = :institution_id and session_id = :session_id;

-- name: of_application(institution_id, application_id)
-- Everybody asked for one case, the first first.
select institution_id, id, application_id, borrower_id, status, step, session_id, guarantor_id, liveness, liveness_session,
       amount, line_until, until_on, terms_version, terms_sha256, confirmed_at, why, created_at, expires_at, ended_at
from guarantees.guarantees where institution_id = :institution_id and application_id = :application_id
order by created_at, id;

-- name: of_guarantor(institution_id, guarantor_id)
-- What one person answers for, did answer for, or proved to be asked for, the newest first.
select institution_id, id, application_id, borrower_id, status, step, session_id, guarantor_id, liveness, liveness_session,
       amount, line_until, until_on, terms_version, terms_sha256, confirmed_at, why, created_at, expires_at, ended_at
from guarantees.guarantees
where institution_id = :institution_id and guarantor_id = :guarantor_id
  and (status in ('confirmed', 'released') or (status = 'opened' and step in ('liveness', 'confirm')))
order by created_at desc, id desc;

-- name: open_up(institution_id, id, session_id, now)!
-- Compare and set: of two phones at once one takes the link up, and only before its day is over.
update guarantees.guarantees set status = 'opened', session_id = :session_id, updated_at = :now
where institution_id = :institution_id and id = :id and status = 'invited' and expires_at > :now;

-- name: set_guarantor(institution_id, id, guarantor_id, now)!
-- The card was confirmed: who it is.
update guarantees.guarantees set guarantor_id = :guarantor_id, step = 'phone', updated_at = :now
where institution_id = :institution_id and id = :id and status = 'opened' and step = 'identity';

-- name: reach(institution_id, id, from_step, to_step, now)!
-- Forward by one step, once.
update guarantees.guarantees set step = :to_step, updated_at = :now
where institution_id = :institution_id and id = :id and status = 'opened' and step = :from_step;

-- name: set_liveness_session(institution_id, id, liveness_session, now)!
-- Which session of the provider's this guarantee sent out last.
update guarantees.guarantees set liveness_session = :liveness_session, updated_at = :now
where institution_id = :institution_id and id = :id and status = 'opened' and step = 'liveness';

-- name: pass_liveness(institution_id, id, liveness, now)!
-- The face is the card's, as the provider or a person saw.
update guarantees.guarantees set liveness = :liveness, step = 'confirm', updated_at = :now
where institution_id = :institution_id and id = :id and status = 'opened' and step = 'liveness';

-- name: confirm(institution_id, id, terms_version, terms_sha256, terms, shown_at, required_seconds, now)!
-- The guarantor's word, with the very words it was given to.
update guarantees.guarantees
set status = 'confirmed', terms_version = :terms_version, terms_sha256 = :terms_sha256, terms = :terms,
    shown_at = :shown_at, required_seconds = :required_seconds, confirmed_at = :now, updated_at = :now
where institution_id = :institution_id and id = :id and status = 'opened' and step = 'confirm' and expires_at > :now;

-- name: confirmed_words(institution_id, id)$
-- The sealed words that were confirmed; null before.
select terms from guarantees.guarantees where institution_id = :institution_id and id = :id;

-- name: end_(institution_id, id, from_status, to_status, why, now)!
-- Refused, withdrawn, run out or released, from where the caller saw it.
update guarantees.guarantees set status = :to_status, why = :why, ended_at = :now, updated_at = :now
where institution_id = :institution_id and id = :id and status = :from_status;

-- name: exposure(institution_id, guarantor_id, but_for, today)^
-- What a person answers for today, and for how many (beside one borrower, or null); several lines of one count one.
select count(distinct borrower_id) filter (where borrower_id is distinct from cast(:but_for as uuid)) as borrowers, coalesce(sum(amount), 0) as amount
from guarantees.guarantees
where institution_id = :institution_id and guarantor_id = :guarantor_id and status = 'confirmed' and until_on >= :today;

-- name: lock_confirming(institution_id)!
-- One confirmation at a time, so that two at once cannot pass a limit or close a circle together.
select pg_advisory_xact_lock(hashtextextended('guarantor ' || :institution_id, 0));

-- name: comes_back(institution_id, guarantor_id, borrower_id, today)$
-- Whether the borrower answers for the guarantor, straight or over others: a circle in which nobody answers for
-- anybody. Six steps are further than people answer for each other.
with recursive answered (person, steps) as (
    select cast(:borrower_id as uuid), 0
    union
    select g.borrower_id, a.steps + 1
    from answered a
    join guarantees.guarantees g on g.institution_id = :institution_id and g.guarantor_id = a.person
    where g.status = 'confirmed' and g.until_on >= :today and a.steps < 6
)
select exists (select from answered where person = cast(:guarantor_id as uuid) and steps > 0);

-- name: lapsed(now, most)
-- Links whose day is over.
-- scope: all institutions, because one job ends them for everybody; ids only.
select institution_id, id from guarantees.guarantees
where status in ('invited', 'opened') and expires_at <= :now order by expires_at limit :most;

-- name: stands_or_proved(institution_id, guarantor_id)$
-- Whether a person answers for a loan, or has shown their face on the way to it, to the provider or to a person.
select exists (
    select from guarantees.guarantees
    where institution_id = :institution_id and guarantor_id = :guarantor_id
      and (status = 'confirmed' or (status = 'opened' and liveness in ('passed', 'seen')))
);

-- name: other_stands(institution_id, guarantor_id, id)$
-- Whether another guarantee of a person stands on the consents they gave, or will.
select exists (
    select from guarantees.guarantees
    where institution_id = :institution_id and guarantor_id = :guarantor_id and id <> :id
      and (status = 'confirmed' or (status = 'opened' and step in ('liveness', 'confirm')))
);

-- name: asked_of(institution_id, guarantor_id)
-- Every guarantee a person was asked for.
select id, application_id from guarantees.guarantees
where institution_id = :institution_id and guarantor_id = :guarantor_id;

-- name: forget(institution_id, person_id)!
-- The words of what came to nothing, given by this person or for them.
update guarantees.guarantees set terms = '\x'
where institution_id = :institution_id and (guarantor_id = :person_id or borrower_id = :person_id)
  and status = 'released' and terms is not null;
