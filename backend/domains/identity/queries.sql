-- name: staff_by_subject(subject)
-- scope: all institutions, because the sign-on does not say which county a person works for.
select institution_id, id, staff_no, name, branch_id, roles, subject, phone, qualification_no, authority_from, authority_to, active, left_at
from identity.staff where subject = :subject;

-- name: staff(institution_id, id)^
-- One member of staff.
select institution_id, id, staff_no, name, branch_id, roles, subject, phone, qualification_no, authority_from, authority_to, active, left_at
from identity.staff where institution_id = :institution_id and id = :id;

-- name: all_staff(institution_id)
-- The staff of one institution.
select institution_id, id, staff_no, name, branch_id, roles, subject, phone, qualification_no, authority_from, authority_to, active, left_at
from identity.staff where institution_id = :institution_id order by staff_no;

-- name: is_staff_phone(institution_id, phone)$
-- Whether an applicant's phone is that of one of our own.
select exists (select from identity.staff where institution_id = :institution_id and phone = :phone);

-- name: insert_state(state_hash, visit_hash, next_path, for_subject, expires_at)!
-- A member of staff is sent to the sign-on.
insert into identity.sign_in_states (state_hash, visit_hash, next_path, for_subject, expires_at)
values (:state_hash, :visit_hash, :next_path, :for_subject, :expires_at);

-- name: use_state(state_hash, visit_hash, now)^
-- Once, in time, in the browser it began in.
update identity.sign_in_states set used_at = :now
where state_hash = :state_hash and visit_hash = :visit_hash and used_at is null and expires_at > :now
returning next_path, for_subject;

-- name: forget_states(before)!
-- Sign-ins of yesterday.
delete from identity.sign_in_states where expires_at < :before;

-- name: insert_staff_session(institution_id, token_hash, staff_id, now, authenticated_at, expires_at)!
-- A new session at every sign-in (ASVS 7.x).
insert into identity.staff_sessions
    (institution_id, token_hash, staff_id, created_at, seen_at, authenticated_at, expires_at)
values (:institution_id, :token_hash, :staff_id, :now, :now, :authenticated_at, :expires_at);

-- name: staff_session(institution_id, token_hash, now, idle_since)^
-- A living session and who it belongs to. Read at every request, so that a revocation counts at once.
select s.institution_id, s.id, s.staff_no, s.name, s.branch_id, s.roles, s.subject, s.phone, s.qualification_no,
       s.authority_from, s.authority_to, s.active, s.left_at, t.seen_at, t.authenticated_at
from identity.staff_sessions t
join identity.staff s on s.institution_id = t.institution_id and s.id = t.staff_id
where t.institution_id = :institution_id and t.token_hash = :token_hash and t.revoked_at is null
  and t.expires_at > :now and t.seen_at > :idle_since and s.active;

-- name: touch_staff_session(institution_id, token_hash, now)!
-- The idle clock starts again.
update identity.staff_sessions set seen_at = :now
where institution_id = :institution_id and token_hash = :token_hash;

-- name: revoke_staff_session(institution_id, token_hash, now)!
-- Signed out, or replaced by a new session.
update identity.staff_sessions set revoked_at = :now
where institution_id = :institution_id and token_hash = :token_hash and revoked_at is null;

-- name: end_posting(institution_id, id, now)$
-- Null for who has left already, or was never here.
update identity.staff set active = false, left_at = :now
where institution_id = :institution_id and id = :id and active
returning staff_no;

-- name: revoke_sessions_of(institution_id, staff_id, now)!
-- Every browser this person is signed in at.
update identity.staff_sessions set revoked_at = :now
where institution_id = :institution_id and staff_id = :staff_id and revoked_at is null;

-- name: insert_customer_session(institution_id, id, token_hash, openid, now, expires_at)!
-- A browser came to the H5 pages.
insert into identity.customer_sessions (institution_id, id, token_hash, openid, created_at, seen_at, expires_at)
values (:institution_id, :id, :token_hash, :openid, :now, :now, :expires_at);

-- name: customer_session(institution_id, token_hash, now)^
-- The session behind a cookie.
select institution_id, id, openid, customer_id, application_id, expires_at
from identity.customer_sessions
where institution_id = :institution_id and token_hash = :token_hash and expires_at > :now;

-- name: set_session_application(institution_id, id, application_id, customer_id)!
-- Which draft this browser works on, and whose it is once that is known.
update identity.customer_sessions set application_id = :application_id, customer_id = :customer_id
where institution_id = :institution_id and id = :id;

-- name: set_session_token(institution_id, id, token_hash)!
-- A new token after the person proved who they are (ASVS 7.x: rotated).
update identity.customer_sessions set token_hash = :token_hash
where institution_id = :institution_id and id = :id;

-- name: insert_code(institution_id, id, session_id, purpose, phone_index, code_hash, now, expires_at)!
-- A one-time code was made; only its hash is kept.
insert into identity.one_time_codes (institution_id, id, session_id, purpose, phone_index, code_hash, created_at, expires_at)
values (:institution_id, :id, :session_id, :purpose, :phone_index, :code_hash, :now, :expires_at);

-- name: try_code(institution_id, session_id, purpose, now, most)^
-- Count a try on the newest code before looking at it, so that parallel tries cannot exceed the limit.
update identity.one_time_codes set tries = tries + 1
where institution_id = :institution_id and id = (
    select id from identity.one_time_codes
    where institution_id = :institution_id and session_id = :session_id and purpose = :purpose
    order by created_at desc limit 1
    for update
) and used_at is null and expires_at > :now and tries < :most
returning id, phone_index, code_hash, tries;

-- name: code_asked(institution_id, session_id, purpose, phone_index)$
-- Whether this browser ever asked for a code for this phone.
select exists (select from identity.one_time_codes
               where institution_id = :institution_id and session_id = :session_id and purpose = :purpose
                 and phone_index = :phone_index);

-- name: use_code(institution_id, id, now)!
-- Right: never again.
update identity.one_time_codes set used_at = :now
where institution_id = :institution_id and id = :id and used_at is null;

-- name: take_quota(key, starts_at, most)^
-- One more of something, unless the window is full; holds across processes.
insert into xd.quota (key, starts_at, used) values (:key, :starts_at, 1)
on conflict (key, starts_at) do update set used = xd.quota.used + 1 where xd.quota.used < :most
returning used;

-- name: hold_gap(key)$
-- Two at once: the second waits, and then sees what the first did.
select pg_advisory_xact_lock(hashtextextended(:key, 0));

-- name: last_taken(key)$
-- When something was last done that needs a pause after it.
select max(starts_at) from xd.quota where key = :key;

-- name: forget_quotas(before)!
-- Old windows.
delete from xd.quota where starts_at < :before;

-- name: forget_codes(institution_id, customer_id, applications, phone_index)!
-- Codes sent to a person's phone, or asked for in their browsers.
delete from identity.one_time_codes c
where c.institution_id = :institution_id and (c.phone_index = :phone_index or exists (
    select from identity.customer_sessions s
    where s.institution_id = :institution_id and s.id = c.session_id
      and (s.customer_id = :customer_id or s.application_id = any(:applications::uuid[]))));

-- name: forget_sessions(institution_id, customer_id, applications, openids)
-- Browsers that were a person's, worked on their cases, or came from their WeChat account; they begin anew.
delete from identity.customer_sessions
where institution_id = :institution_id
  and (customer_id = :customer_id or application_id = any(:applications::uuid[])
    or openid = any(:openids::text[]))
returning id;
