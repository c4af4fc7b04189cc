-- name: begin(institution_id, id, application_id, customer_id, officer_id, answers, now)$
-- A new draft; null while the case has one that is not confirmed.
insert into surveys.surveys (institution_id, id, application_id, customer_id, officer_id, answers, begun_at, saved_at)
values (:institution_id, :id, :application_id, :customer_id, :officer_id, :answers, :now, :now)
on conflict do nothing
returning id;

-- name: open_of(institution_id, application_id)$
-- The survey of a case that is not confirmed yet.
select id from surveys.surveys
where institution_id = :institution_id and application_id = :application_id and status <> 'confirmed';

-- name: get(institution_id, id)^
-- One survey with how many photographs it has.
select s.id, s.application_id, s.customer_id, s.officer_id, s.status, s.answers, s.consent_id, s.visited_on,
       s.begun_at, s.saved_at, s.submitted_at, s.checked_by, s.checked_at, s.in_place, s.checker_said,
       (select count(*) from surveys.photos p where p.institution_id = s.institution_id and p.survey_id = s.id) as photos
from surveys.surveys s where s.institution_id = :institution_id and s.id = :id;

-- name: lock(institution_id, id)$
-- Held to the end of the transaction: two taps, or the officer and the second person, one after the other.
select status from surveys.surveys where institution_id = :institution_id and id = :id for update;

-- name: latest(institution_id, customer_id)^
-- The newest visit to a customer that a second person confirmed.
select s.id, s.application_id, s.customer_id, s.officer_id, s.status, s.answers, s.consent_id, s.visited_on,
       s.begun_at, s.saved_at, s.submitted_at, s.checked_by, s.checked_at, s.in_place, s.checker_said,
       (select count(*) from surveys.photos p where p.institution_id = s.institution_id and p.survey_id = s.id) as photos
from surveys.surveys s
where s.institution_id = :institution_id and s.customer_id = :customer_id and s.status = 'confirmed'
order by s.visited_on desc, s.checked_at desc limit 1;

-- name: of_officer(institution_id, officer_id, most)
-- An officer's own surveys, the last touched first.
select s.id, s.application_id, s.customer_id, s.status, s.saved_at, s.submitted_at
from surveys.surveys s
where s.institution_id = :institution_id and s.officer_id = :officer_id
order by s.saved_at desc limit :most;

-- name: hand_over(institution_id, from_officer, to_officer)!
-- An officer's unfinished ones; nobody finishes what they sent back themselves as the second person.
update surveys.surveys set officer_id = :to_officer
where institution_id = :institution_id and officer_id = :from_officer and status in ('draft', 'returned')
  and checked_by is distinct from :to_officer;

-- name: waiting(institution_id, but_not, most)
-- What waits for a second person, the oldest first; one's own waits for somebody else.
select s.id, s.application_id, s.customer_id, s.status, s.saved_at, s.submitted_at
from surveys.surveys s
where s.institution_id = :institution_id and s.status = 'submitted' and s.officer_id <> :but_not
order by s.submitted_at limit :most;

-- name: save(institution_id, id, answers, now)!
-- What was typed so far; the status stays.
update surveys.surveys set answers = :answers, saved_at = :now
where institution_id = :institution_id and id = :id and status in ('draft', 'returned');

-- name: submit(institution_id, id, from_status, consent_id, visited_on, now)$
-- Compare and set: handed to the second person.
update surveys.surveys set status = 'submitted', consent_id = :consent_id, visited_on = :visited_on,
    submitted_at = :now
where institution_id = :institution_id and id = :id and status = :from_status
returning true;

-- name: check(institution_id, id, status, checked_by, in_place, checker_said, now)$
-- The second person's word; the table refuses the officer's own.
update surveys.surveys set status = :status, checked_by = :checked_by, in_place = :in_place,
    checker_said = :checker_said, checked_at = :now
where institution_id = :institution_id and id = :id and status = 'submitted'
returning true;

-- name: add_photo(institution_id, id, survey_id, sha256, content, now)!
-- The same picture twice is one.
insert into surveys.photos (institution_id, id, survey_id, sha256, content, taken_at)
values (:institution_id, :id, :survey_id, :sha256, :content, :now)
on conflict (institution_id, survey_id, sha256) do nothing;

-- name: remove_photo(institution_id, survey_id, id)!
-- Taken off a survey that is still being written.
delete from surveys.photos p
using surveys.surveys s
where p.institution_id = :institution_id and p.survey_id = :survey_id and p.id = :id
  and s.institution_id = p.institution_id and s.id = p.survey_id and s.status in ('draft', 'returned');

-- name: photos(institution_id, survey_id)
-- Pictures of a survey in the order they came; the bytes are asked for one by one.
select id, survey_id, sha256, taken_at, archive_id from surveys.photos
where institution_id = :institution_id and survey_id = :survey_id order by taken_at, id;

-- name: photo(institution_id, id)^
-- One picture with its bytes while they are ours.
select id, survey_id, sha256, taken_at, archive_id, content from surveys.photos
where institution_id = :institution_id and id = :id;

-- name: archived(institution_id, id, archive_id, receipt)!
-- The archive keeps it: our copy goes.
update surveys.photos set content = null, archive_id = :archive_id, archive_receipt = :receipt
where institution_id = :institution_id and id = :id and content is not null;

-- name: receipts_of(institution_id, customer_id)
-- What the image archive keeps of a person's surveys.
select p.archive_receipt as receipt, s.application_id from surveys.photos p
join surveys.surveys s on s.institution_id = p.institution_id and s.id = p.survey_id
where p.institution_id = :institution_id and s.customer_id = :customer_id and p.archive_receipt is not null;

-- name: forget(institution_id, customer_id)!
-- What was seen at somebody's home goes; that there was a visit stays.
with emptied as (
    update surveys.surveys s set answers = '\x', checker_said = case when s.checker_said is not null then '\x'::bytea end
    where s.institution_id = :institution_id and s.customer_id = :customer_id
    returning s.id
)
delete from surveys.photos p using emptied where p.institution_id = :institution_id and p.survey_id = emptied.id;
