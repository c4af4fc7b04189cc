-- name: ensure_token(app_id, name)!
-- The row to lock; made at first use.
insert into channels.access_tokens (app_id, name) values (:app_id, :name) on conflict do nothing;

-- name: lock_token(app_id, name)^
-- Locked for the moment of deciding who fetches, never during the call.
select token, expires_at, refreshing_by, refreshing_until
from channels.access_tokens where app_id = :app_id and name = :name
for update;

-- name: token(app_id, name)^
-- The common case: somebody has fetched it already.
select token, expires_at from channels.access_tokens where app_id = :app_id and name = :name;

-- name: lease_token(app_id, name, refreshing_by, refreshing_until)!
-- One replica fetches; the others wait until the lease ends.
update channels.access_tokens set refreshing_by = :refreshing_by, refreshing_until = :refreshing_until
where app_id = :app_id and name = :name;

-- name: store_token(app_id, name, token, expires_at, refreshing_by)!
-- Only the holder of the lease stores, so a late answer does not replace a newer token.
update channels.access_tokens
set token = :token, expires_at = :expires_at, refreshing_by = null, refreshing_until = null
where app_id = :app_id and name = :name and refreshing_by = :refreshing_by;

-- name: release_token(app_id, name, refreshing_by)!
-- The fetch failed; the next one may try at once.
update channels.access_tokens set refreshing_by = null, refreshing_until = null
where app_id = :app_id and name = :name and refreshing_by = :refreshing_by;

-- name: sms_accepted(institution_id, message_id, case_id, template, at)!
-- The platform has it; a repeated delivery brings the same number.
insert into channels.sms_messages (institution_id, message_id, case_id, template, accepted_at)
values (:institution_id, :message_id, :case_id, :template, :at)
on conflict do nothing;

-- name: sms_institution(message_id)$
-- scope: all institutions, because a receipt names the platform's number only.
select institution_id from channels.sms_messages where message_id = :message_id;

-- name: sms_receipt(institution_id, message_id, status, at)!
-- The first receipt counts.
update channels.sms_messages set status = :status, receipt_at = :at
where institution_id = :institution_id and message_id = :message_id and receipt_at is null;

-- name: insert_state(state_hash, visit_hash, next_path, tries, expires_at)!
-- An authorisation begins.
insert into channels.oauth_states (state_hash, visit_hash, next_path, tries, expires_at)
values (:state_hash, :visit_hash, :next_path, :tries, :expires_at);

-- name: use_state(state_hash, visit_hash, now)^
-- Once, in time, and in the browser it began in (against login CSRF).
update channels.oauth_states set used_at = :now
where state_hash = :state_hash and visit_hash = :visit_hash and used_at is null and expires_at > :now
returning next_path, tries;

-- name: path_of_used(state_hash, visit_hash, now)$
-- Where a browser that comes back with a state it has used already was going.
select next_path from channels.oauth_states
where state_hash = :state_hash and visit_hash = :visit_hash and used_at is not null and expires_at > :now;

-- name: forget_states(before)!
-- Old states are of no use to anybody.
delete from channels.oauth_states where expires_at < :before;

-- name: insert_link(institution_id, id, token_hash, openid, now, expires_at)!
-- A way for one WeChat account to say whose it is.
insert into channels.bind_links (institution_id, id, token_hash, openid, created_at, expires_at)
values (:institution_id, :id, :token_hash, :openid, :now, :expires_at);

-- name: find_link(token_hash, now)^
-- scope: all institutions, because the link itself says which county it belongs to.
select institution_id, id, openid, expires_at
from channels.bind_links where token_hash = :token_hash and used_at is null and expires_at > :now;

-- name: use_link(institution_id, id, now)!
-- One use.
update channels.bind_links set used_at = :now
where institution_id = :institution_id and id = :id and used_at is null and expires_at > :now;

-- name: serving(openid)^
-- scope: all institutions, because the county that serves an account is what is asked.
select institution_id, openid, code_id, code_token, officer_id, product_code, routed_at, following,
       last_message_at, last_event_at
from channels.followers where openid = :openid order by routed_at desc limit 1;

-- name: follower(institution_id, openid)^
-- The account as this county knows it.
select institution_id, openid, code_id, code_token, officer_id, product_code, routed_at, following,
       last_message_at, last_event_at
from channels.followers where institution_id = :institution_id and openid = :openid;

-- name: route(institution_id, openid, now)!
-- This county serves the account from now on.
insert into channels.followers (institution_id, openid, routed_at, created_at)
values (:institution_id, :openid, :now, :now)
on conflict (institution_id, openid) do update set routed_at = excluded.routed_at;

-- name: attribute(institution_id, openid, code_id, code_token, officer_id, product_code, now)!
-- The last code scanned decides who serves and for which product.
insert into channels.followers
    (institution_id, openid, code_id, code_token, officer_id, product_code, routed_at, created_at)
values (:institution_id, :openid, :code_id, :code_token, :officer_id, :product_code, :now, :now)
on conflict (institution_id, openid) do update
set code_id = excluded.code_id, code_token = excluded.code_token, officer_id = excluded.officer_id,
    product_code = excluded.product_code, routed_at = excluded.routed_at, following = true;

-- name: forget_codes_of(institution_id, officer_id)!
-- The codes of somebody who left are void: who came through one is shown the product without it.
update channels.followers set code_id = null, code_token = null
where institution_id = :institution_id and officer_id = :officer_id and code_token is not null;

-- name: hand_over_followers(institution_id, from_officer, to_officer)!
-- Another officer answers for these accounts; leads stay what they are, a record of scans.
update channels.followers set officer_id = :to_officer
where institution_id = :institution_id and officer_id = :from_officer;

-- name: hand_over_tickets(institution_id, from_officer, to_officer)!
-- Who waits to be called is called by another officer; the clock goes on.
update channels.tickets set owner_id = :to_officer
where institution_id = :institution_id and owner_id = :from_officer and status = 'open';

-- name: insert_lead(institution_id, id, openid, code_id, officer_id, product_code, now)!
-- One row per scan.
insert into channels.leads (institution_id, id, openid, code_id, officer_id, product_code, scanned_at)
values (:institution_id, :id, :openid, :code_id, :officer_id, :product_code, :now);

-- name: leads_everywhere(openid)
-- scope: all institutions, because the support desk follows one account through all counties.
select institution_id, id, code_id, officer_id, product_code, scanned_at
from channels.leads where openid = :openid order by scanned_at;

-- name: heard_message(institution_id, openid, now)!
-- The person wrote: 48 hours for customer-service messages.
insert into channels.followers (institution_id, openid, routed_at, created_at, last_message_at)
values (:institution_id, :openid, :now, :now, :now)
on conflict (institution_id, openid) do update set last_message_at = excluded.last_message_at, following = true;

-- name: heard_event(institution_id, openid, now)!
-- The person tapped, scanned or followed: one minute for customer-service messages.
insert into channels.followers (institution_id, openid, routed_at, created_at, last_event_at)
values (:institution_id, :openid, :now, :now, :now)
on conflict (institution_id, openid) do update set last_event_at = excluded.last_event_at, following = true;

-- name: left(institution_id, openid)!
-- The person no longer follows.
update channels.followers set following = false where institution_id = :institution_id and openid = :openid;

-- name: last_heard(openid)^
-- scope: all institutions, because the sending window belongs to the account, not to a county.
select (array_agg(following order by routed_at desc))[1] as following,
       max(last_message_at) as message_at, max(last_event_at) as event_at
from channels.followers where openid = :openid having count(*) > 0;

-- name: claim(key, served_by, message_id, now)$
-- The first delivery of a message wins; a second one waits here for the first to commit.
insert into channels.received (key, served_by, message_id, received_at)
values (:key, :served_by, :message_id, :now)
on conflict do nothing
returning true;

-- name: claimed(key)^
-- Where the first delivery was answered.
select served_by, message_id from channels.received where key = :key;

-- name: insert_message(institution_id, id, openid, kind, topic, text, reply, now)!
-- The log, with the answer for a repeat.
insert into channels.messages (institution_id, id, openid, kind, topic, text, reply, received_at)
values (:institution_id, :id, :openid, :kind, :topic, :text, :reply, :now);

-- name: reply_of(institution_id, id)$
-- A repeat gets the same answer.
select reply from channels.messages where institution_id = :institution_id and id = :id;

-- name: messages_everywhere(openid)
-- scope: all institutions, because the support desk follows one account through all counties. Counts only.
select topic, count(*) as count from channels.messages where openid = :openid group by topic order by topic;

-- name: insert_grant(institution_id, id, openid, template_id, now)!
-- One consent, one notice.
insert into channels.grants (institution_id, id, openid, template_id, granted_at)
values (:institution_id, :id, :openid, :template_id, :now);

-- name: void_grants(institution_id, openid, template_id, at, now)!
-- The person refused this notice; what they allowed later stands.
update channels.grants set void_at = :now
where institution_id = :institution_id and openid = :openid and template_id = :template_id
  and (:at::timestamptz is null or granted_at <= :at) and used_at is null and void_at is null and reserved_for is null;

-- name: places_of_grants(openid, template_id)
-- scope: all institutions, because the setting belongs to the account, whichever county the person was with.
select distinct institution_id from channels.grants
where openid = :openid and template_id = :template_id
  and used_at is null and void_at is null and reserved_for is null
order by institution_id;

-- name: find_grant(openid, template_id, key)^
-- scope: all institutions, because a consent belongs to the account, whichever county the person was with.
select institution_id, id from channels.grants
where openid = :openid and template_id = :template_id and used_at is null and void_at is null
  and (reserved_for is null or reserved_for = :key)
order by (reserved_for = :key) desc nulls last, granted_at
limit 1;

-- name: reserve_grant(institution_id, id, key, now)!
-- For one notice only.
update channels.grants set reserved_for = :key, reserved_at = coalesce(reserved_at, :now)
where institution_id = :institution_id and id = :id and used_at is null and void_at is null
  and (reserved_for is null or reserved_for = :key);

-- name: release_grant(institution_id, id, key)!
-- The notice it was kept for went another way.
update channels.grants set reserved_for = null, reserved_at = null
where institution_id = :institution_id and id = :id and used_at is null and reserved_for = :key;

-- name: use_grant(institution_id, id, message_id, now)!
-- The notice went out.
update channels.grants set used_at = :now, message_id = :message_id
where institution_id = :institution_id and id = :id and used_at is null;

-- name: grant_of_message(message_id)^
-- scope: all institutions, because a report names the platform's number only.
select institution_id, id, reserved_for as notice_key from channels.grants where message_id = :message_id;

-- name: report_grant(institution_id, id, report, now)!
-- The first report counts.
update channels.grants set report = :report, reported_at = :now
where institution_id = :institution_id and id = :id and reported_at is null;

-- name: void_grant(institution_id, id, now)!
-- The platform knew of no consent.
update channels.grants set void_at = :now
where institution_id = :institution_id and id = :id and used_at is null;

-- name: grants_left(openid)
-- scope: all institutions, because the support desk follows one account through all counties. Counts only.
select template_id, count(*) as count from channels.grants
where openid = :openid and used_at is null and void_at is null and reserved_for is null
group by template_id order by template_id;

-- name: insert_notice(institution_id, id, key, case_id, about, now)!
-- Once per case and status.
insert into channels.notices (institution_id, id, key, case_id, about, created_at)
values (:institution_id, :id, :key, :case_id, :about, :now)
on conflict (institution_id, key) do nothing;

-- name: notice(institution_id, key)^
-- How far it is.
select id, key, case_id, about, means, steps, sent_at, ended_at
from channels.notices where institution_id = :institution_id and key = :key;

-- name: set_notice(institution_id, id, means, steps)!
-- Before a call: which means; after a refusal: why.
update channels.notices set means = :means, steps = :steps
where institution_id = :institution_id and id = :id and ended_at is null;

-- name: notice_sent(institution_id, id, means, now)!
-- Carried.
update channels.notices set means = :means, sent_at = :now, ended_at = :now
where institution_id = :institution_id and id = :id and ended_at is null;

-- name: notice_ended(institution_id, id, now)!
-- Nothing left to try.
update channels.notices set means = null, ended_at = :now
where institution_id = :institution_id and id = :id and ended_at is null;

-- name: notice_of_key(key)^
-- scope: all institutions, because a grant may be of another county than the case it was used for.
select institution_id, id, key, case_id, about, means, steps, sent_at, ended_at
from channels.notices where key = :key;

-- name: reopen_notice(institution_id, id, steps)!
-- The platform reports that it was not shown after all: the next means may carry it.
update channels.notices set means = null, steps = :steps, sent_at = null, ended_at = null
where institution_id = :institution_id and id = :id and means = 'subscription' and sent_at is not null;

-- name: notices_of_case(institution_id, case_id)
-- Proof that nothing was lost, for the support desk.
select id, key, case_id, about, means, steps, sent_at, ended_at
from channels.notices where institution_id = :institution_id and case_id = :case_id order by created_at;

-- name: scene_code(institution_id, code_id)^
-- The account's QR of a responsible code.
select ticket, url, expires_at from channels.scene_codes
where institution_id = :institution_id and code_id = :code_id;

-- name: keep_scene_code(institution_id, code_id, ticket, url, expires_at, now)!
-- The newest ticket counts; older prints of a temporary one end by themselves.
insert into channels.scene_codes (institution_id, code_id, ticket, url, expires_at, made_at)
values (:institution_id, :code_id, :ticket, :url, :expires_at, :now)
on conflict (institution_id, code_id) do update
set ticket = excluded.ticket, url = excluded.url, expires_at = excluded.expires_at, made_at = excluded.made_at;

-- name: next_ticket()$
-- The serial part of a ticket's number.
select nextval('channels.ticket_seq');

-- name: insert_ticket(institution_id, id, ticket_no, kind, openid, customer_id, owner_id, text, due_at, now)!
-- A matter for a person.
insert into channels.tickets
    (institution_id, id, ticket_no, kind, openid, customer_id, owner_id, text, due_at, created_at)
values (:institution_id, :id, :ticket_no, :kind, :openid, :customer_id, :owner_id, :text, :due_at, :now);

-- name: open_ticket_of(institution_id, openid, kind, since)^
-- The matter a person has opened already; locked, since its text grows.
select institution_id, id, ticket_no, kind, openid, customer_id, owner_id, text, answer, status, due_at, created_at,
       answered_at
from channels.tickets
where institution_id = :institution_id and openid = :openid and kind = :kind and status = 'open'
  and created_at > coalesce(:since::timestamptz, '-infinity')
order by created_at desc limit 1
for update;

-- name: ticket(institution_id, ticket_no)^
-- One ticket by the number people read out.
select institution_id, id, ticket_no, kind, openid, customer_id, owner_id, text, answer, status, due_at, created_at,
       answered_at
from channels.tickets where institution_id = :institution_id and ticket_no = :ticket_no;

-- name: open_tickets(institution_id, most)
-- The desk's list, most urgent first.
select institution_id, id, ticket_no, kind, openid, customer_id, owner_id, text, answer, status, due_at, created_at,
       answered_at
from channels.tickets where institution_id = :institution_id and status = 'open' order by due_at limit :most;

-- name: complains(institution_id, customer_id)$
-- Nobody is won over while their complaint is open.
select exists (
    select from channels.tickets
    where institution_id = :institution_id and customer_id = :customer_id and kind = 'complaint' and status = 'open'
);

-- name: open_calls(institution_id, owner_id, most)
-- Who was promised one member of staff, most urgent first; complaints may be about that very person.
select institution_id, id, ticket_no, kind, openid, customer_id, owner_id, text, answer, status, due_at, created_at,
       answered_at
from channels.tickets
where institution_id = :institution_id and owner_id = :owner_id and kind = 'human' and status = 'open'
order by due_at limit :most;

-- name: tickets_of(institution_id, openid)
-- What one account has asked people.
select institution_id, id, ticket_no, kind, openid, customer_id, owner_id, text, answer, status, due_at, created_at,
       answered_at
from channels.tickets where institution_id = :institution_id and openid = :openid order by created_at desc;

-- name: claim_tickets(institution_id, openid, customer_id)!
-- Whose account it is was proved after they asked; what was answered stays as it was.
update channels.tickets set customer_id = :customer_id
where institution_id = :institution_id and openid = :openid and customer_id is null and status = 'open';

-- name: set_ticket_text(institution_id, id, text)!
-- The person said more about the same matter.
update channels.tickets set text = :text
where institution_id = :institution_id and id = :id and status = 'open';

-- name: answer_ticket(institution_id, id, answer, now)!
-- Compare and set; the trigger holds the move to the lifecycle.
update channels.tickets set status = 'answered', answer = :answer, answered_at = :now
where institution_id = :institution_id and id = :id and status = 'open';

-- name: last_topics(institution_id, openid, since, most)
-- What the account said or tapped in the menu last, newest first.
select topic from channels.messages
where institution_id = :institution_id and openid = :openid and received_at > :since
  and (kind not like 'event.%' or kind = 'event.click')
order by received_at desc, id desc limit :most;

-- name: last_said(institution_id, openid, since, most)
-- As above, with the sealed words.
select id, kind, topic, text from channels.messages
where institution_id = :institution_id and openid = :openid and received_at > :since
  and (kind not like 'event.%' or kind = 'event.click')
order by received_at desc, id desc limit :most;

-- name: tickets_with(institution_id, customer_id, openids)
-- Numbers of what a person or their account ever asked of us.
select ticket_no from channels.tickets
where institution_id = :institution_id and (customer_id = :customer_id or openid = any(:openids::text[]));

-- name: forget_tickets(institution_id, customer_id, openids)!
-- The words go and the account; that somebody was answered, and how soon, stays.
update channels.tickets set openid = '', text = '\x', answer = case when answer is not null then '\x'::bytea end
where institution_id = :institution_id and (customer_id = :customer_id or openid = any(:openids::text[]));

-- name: forget_leads(institution_id, openids)!
-- How many came through a code stays.
update channels.leads set openid = '' where institution_id = :institution_id and openid = any(:openids::text[]);

-- name: forget_account(institution_id, openids)!
-- What an account said, its permissions and links, and where it was routed: it begins anew.
with messages as (
    delete from channels.messages where institution_id = :institution_id and openid = any(:openids::text[])
), grants as (
    delete from channels.grants where institution_id = :institution_id and openid = any(:openids::text[])
), links as (
    delete from channels.bind_links where institution_id = :institution_id and openid = any(:openids::text[])
)
delete from channels.followers where institution_id = :institution_id and openid = any(:openids::text[]);
