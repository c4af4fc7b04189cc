-- name: next_number()$
-- Serial part of the number a person reads out on the phone.
select nextval('applications.number_seq');

-- name: insert(institution_id, id, application_no, session_id, openid, product_code, product_version, channel, code_id, officer_id, is_internet_loan, now)!
-- A draft begins with the first tap.
insert into applications.applications (institution_id, id, application_no, session_id, openid, product_code,
    product_version, channel, code_id, officer_id, is_internet_loan, created_at, updated_at)
values (:institution_id, :id, :application_no, :session_id, :openid, :product_code, :product_version, :channel,
    :code_id, :officer_id, :is_internet_loan, :now, :now);

-- name: get(institution_id, id)^
-- One application.
select * from applications.applications where institution_id = :institution_id and id = :id;

-- name: lock(institution_id, id)^
-- One application, so that no other transaction moves it until this one ends.
select * from applications.applications where institution_id = :institution_id and id = :id for update;

-- name: by_number(institution_id, application_no)^
-- By the number people use.
select * from applications.applications
where institution_id = :institution_id and application_no = :application_no;

-- name: numbers(institution_id, ids)
-- The numbers people use of several applications.
select id, application_no from applications.applications
where institution_id = :institution_id and id = any(:ids::uuid[]);

-- name: institution_of_number(application_no)$
-- scope: all institutions, because a number is read out without saying which county it belongs to.
select institution_id from applications.applications where application_no = :application_no;

-- name: open_of_customer(institution_id, customer_id, product_code)^
-- The one open application of a person for a product, if any.
select * from applications.applications
where institution_id = :institution_id and customer_id = :customer_id and product_code = :product_code
  and status in ('draft', 'submitted', 'deciding', 'referred', 'held', 'approved', 'handed_off');

-- name: of_customer(institution_id, customer_id)
-- All applications of a person, newest first.
select * from applications.applications
where institution_id = :institution_id and customer_id = :customer_id
order by created_at desc;

-- name: of_openid(institution_id, openid)
-- All applications begun from one WeChat account, newest first.
select * from applications.applications
where institution_id = :institution_id and openid = :openid
order by created_at desc;

-- name: waiting_everywhere(status, before, most)
-- scope: all institutions, because one job resumes, expires and abandons for everybody. Ids only.
select institution_id, id from applications.applications
where status = :status and updated_at < :before
order by updated_at
limit :most;

-- name: set_customer(institution_id, id, customer_id, now)!
-- The card was confirmed: the draft belongs to a person now.
update applications.applications
set customer_id = :customer_id, updated_at = :now, version = version + 1
where institution_id = :institution_id and id = :id and status = 'draft';

-- name: set_session(institution_id, id, session_id, openid, now)!
-- The person goes on from another phone or browser.
update applications.applications
set session_id = :session_id, openid = coalesce(:openid, openid), updated_at = :now, version = version + 1
where institution_id = :institution_id and id = :id;

-- name: set_step(institution_id, id, step, now)!
-- How far the draft is.
update applications.applications
set step = :step, updated_at = :now, version = version + 1
where institution_id = :institution_id and id = :id and status = 'draft';

-- name: set_liveness(institution_id, id, liveness, now)!
-- Result of the face check, or that the person chose a way without it (D3-13).
update applications.applications
set liveness = :liveness, updated_at = :now, version = version + 1
where institution_id = :institution_id and id = :id and status = 'draft';

-- name: set_declared(institution_id, id, declared, amount_fen, term_months, purpose, now)!
-- What the person declared.
update applications.applications
set declared = :declared, amount_fen = :amount_fen, term_months = :term_months, purpose = :purpose,
    updated_at = :now, version = version + 1
where institution_id = :institution_id and id = :id and status = 'draft';

-- name: move(institution_id, id, from_status, to_status, event, who, why, now, promised_at, declared, amount_fen, term_months, purpose)^
-- Compare and set: the status moves only from where the flow saw it, and the event is written in the same
-- statement, numbered and chained. What is declared with it, if anything, is kept with it.
with moved as (
    update applications.applications
    set status = :to_status, updated_at = :now, version = version + 1,
        declared = coalesce(:declared, declared), amount_fen = coalesce(:amount_fen, amount_fen),
        term_months = coalesce(:term_months, term_months), purpose = coalesce(:purpose, purpose),
        submitted_at = case when :to_status = 'submitted' then :now else submitted_at end,
        decided_at = case when :to_status in ('approved', 'declined') then :now else decided_at end,
        promised_at = case when :to_status in ('referred', 'held') then :promised_at::timestamptz end
    where institution_id = :institution_id and id = :id and status = :from_status
    returning *
), last as (
    select seq, hash from applications.events
    where institution_id = :institution_id and application_id = :id
    order by seq desc limit 1
), told as (
    insert into applications.events
        (institution_id, application_id, seq, event, from_status, to_status, who, why, at, hash)
    select m.institution_id, m.id, coalesce((select seq from last), 0) + 1, :event, :from_status, :to_status, :who,
           :why, :now,
           applications.link((select hash from last), m.id, coalesce((select seq from last), 0) + 1, :event,
                             :from_status, :to_status, :who, :why, :now)
    from moved m
)
select * from moved;

-- name: lock_of_officer(institution_id, officer_id)
-- Everything of one officer's, held until it is handed over: the events below are numbered by this lock.
select id from applications.applications
where institution_id = :institution_id and officer_id = :officer_id
order by id for update;

-- name: hand_over(institution_id, ids, to_officer, who, why, now)!
-- Another officer looks after these from now on; an event of each case says so. When they moved last stays as it is,
-- since clocks and lists go by it.
with moved as (
    update applications.applications
    set officer_id = :to_officer, brought_by = coalesce(brought_by, officer_id), version = version + 1
    where institution_id = :institution_id and id = any(:ids::uuid[])
    returning institution_id, id, status
), last as (
    select distinct on (e.application_id) e.application_id, e.seq, e.hash, e.to_status
    from applications.events e
    where e.institution_id = :institution_id and e.application_id = any(:ids::uuid[])
    order by e.application_id, e.seq desc
)
insert into applications.events (institution_id, application_id, seq, event, from_status, to_status, who, why, at, hash)
select m.institution_id, m.id, l.seq + 1, 'officer_changed', l.to_status, m.status, :who, :why, :now,
       applications.link(l.hash, m.id, l.seq + 1, 'officer_changed', l.to_status, m.status, :who, :why, :now)
from moved m
join last l on l.application_id = m.id;

-- name: note(institution_id, id, event, who, why, now)^
-- An event that does not move the status (the first one, a review request, a hand-off token …). Callers hold
-- the application's row lock, or have just inserted it.
with last as (
    select seq, hash, to_status from applications.events
    where institution_id = :institution_id and application_id = :id
    order by seq desc limit 1
), present as (
    select institution_id, id, status from applications.applications
    where institution_id = :institution_id and id = :id
)
insert into applications.events (institution_id, application_id, seq, event, from_status, to_status, who, why, at, hash)
select p.institution_id, p.id, coalesce((select seq from last), 0) + 1, :event, (select to_status from last), p.status, :who, :why, :now,
       applications.link((select hash from last), p.id, coalesce((select seq from last), 0) + 1, :event,
                         (select to_status from last), p.status, :who, :why, :now)
from present p
returning seq;

-- name: events(institution_id, application_id)
-- The story of a case.
select seq, event, from_status, to_status, who, why, at
from applications.events
where institution_id = :institution_id and application_id = :application_id
order by seq;

-- name: insert_capture(institution_id, id, application_id, guarantee_id, kind, sha256, reading, now)!
-- A photograph was taken in and read; with a guarantee, of the guarantor's card.
insert into applications.captures
    (institution_id, id, application_id, guarantee_id, kind, sha256, reading, created_at)
values (:institution_id, :id, :application_id, :guarantee_id, :kind, :sha256, :reading, :now);

-- name: latest_captures(institution_id, application_id, kinds)
-- As `latest_capture` of the applicant for several kinds.
select distinct on (kind) id, application_id, kind, sha256, reading, confirmed, corrected, archive_receipt,
       destroyed_at, created_at
from applications.captures
where institution_id = :institution_id and application_id = :application_id and guarantee_id is null
  and kind = any(:kinds::text[])
order by kind, created_at desc, id desc;

-- name: latest_capture(institution_id, application_id, guarantee_id, kind)^
-- The photograph that counts: a person may try several times. Without a guarantee it is the applicant's.
select id, application_id, kind, sha256, reading, confirmed, corrected, archive_receipt, destroyed_at, created_at
from applications.captures
where institution_id = :institution_id and application_id = :application_id and kind = :kind
  and guarantee_id is not distinct from cast(:guarantee_id as uuid)
order by created_at desc, id desc
limit 1;

-- name: get_capture(institution_id, id)^
-- One photograph, for the effect that archives it.
select id, application_id, kind, sha256, reading, confirmed, corrected, archive_receipt, destroyed_at, created_at
from applications.captures
where institution_id = :institution_id and id = :id;

-- name: confirm_capture(institution_id, id, confirmed, corrected)!
-- What the person confirmed or corrected (A5-03).
update applications.captures set confirmed = :confirmed, corrected = :corrected
where institution_id = :institution_id and id = :id;

-- name: archived_capture(institution_id, id, receipt, now)!
-- The image archive has it; our copy is gone.
update applications.captures
set archive_receipt = :receipt, archived_at = :now, destroyed_at = :now
where institution_id = :institution_id and id = :id;

-- name: destroyed_capture(institution_id, id, now)!
-- Our copy was destroyed without archiving (replaced, under age, or 24 hours over).
update applications.captures set destroyed_at = :now
where institution_id = :institution_id and id = :id and destroyed_at is null;

-- name: captures_of(institution_id, application_id, guarantee_id)
-- All photographs of one person of a case that still lie with us.
select id, application_id, kind, sha256, reading, confirmed, corrected, archive_receipt, destroyed_at, created_at
from applications.captures
where institution_id = :institution_id and application_id = :application_id and destroyed_at is null
  and guarantee_id is not distinct from cast(:guarantee_id as uuid);

-- name: erase_captures(institution_id, application_id, guarantee_id, now)!
-- Nothing that was read or typed may stay: under age, another county's customer (D6-02), a guarantor who did not agree.
update applications.captures
set reading = null, confirmed = null, corrected = '{}', destroyed_at = coalesce(destroyed_at, :now)
where institution_id = :institution_id and application_id = :application_id
  and guarantee_id is not distinct from cast(:guarantee_id as uuid);

-- name: forget(institution_id, id, now)!
-- A draft that must not become a lead: nobody can be found through it any more (D6-02, D3-05).
update applications.applications
set openid = null, session_id = null, customer_id = null, officer_id = null, brought_by = null, code_id = null,
    declared = null, amount_fen = null, purpose = null, updated_at = :now, version = version + 1
where institution_id = :institution_id and id = :id;

-- name: captures_with_us_everywhere(before, most)
-- scope: all institutions, because one job destroys for everybody what lies with us for too long. Ids only.
select institution_id, id from applications.captures
where destroyed_at is null and created_at < :before
order by created_at limit :most;

-- name: last_event(institution_id, application_id, event)^
-- The newest event of one kind.
select seq, event, from_status, to_status, who, why, at
from applications.events
where institution_id = :institution_id and application_id = :application_id and event = :event
order by seq desc limit 1;

-- name: receipts_of(institution_id, application_id)
-- What the image archive keeps of an applicant's own photographs of a case.
select archive_receipt as receipt from applications.captures
where institution_id = :institution_id and application_id = :application_id and guarantee_id is null
  and archive_receipt is not null;

-- name: receipts_of_guarantee(institution_id, guarantee_id)
-- What the image archive keeps of a guarantor's.
select archive_receipt as receipt from applications.captures
where institution_id = :institution_id and guarantee_id = :guarantee_id and archive_receipt is not null;

-- name: anonymise(institution_id, id)!
-- A case that ended without a loan keeps its figures; what was declared and where it was done goes.
update applications.applications
set openid = null, session_id = null, declared = null, version = version + 1
where institution_id = :institution_id and id = :id;
