-- name: get(institution_id, id)^
-- One person by id; still sealed.
select institution_id, id, name_enc, id_number_enc, phone_enc, address_enc, issuer_enc, birth_on, sex, nation,
       card_valid_from, card_valid_until, status, created_at
from customers.people where institution_id = :institution_id and id = :id;

-- name: get_many(institution_id, ids)
-- Many people in one question.
select institution_id, id, name_enc, id_number_enc, phone_enc, address_enc, issuer_enc, birth_on, sex, nation,
       card_valid_from, card_valid_until, status, created_at
from customers.people where institution_id = :institution_id and id = any(:ids::uuid[]);

-- name: names(institution_id, ids)
-- Names of many people for a list, in one question; still sealed.
select id, name_enc, status from customers.people
where institution_id = :institution_id and id = any(:ids::uuid[]);

-- name: find_by_id_number(institution_id, id_number_blind)$
-- Who carries this ID number here; the blind index is the only way to ask.
select id from customers.people
where institution_id = :institution_id and id_number_blind = :id_number_blind;

-- name: claim_by_id_number(institution_id, id_number_blind)$
-- As above, for who is about to write: somebody who is just being forgotten is waited for, and then not found.
select id from customers.people
where institution_id = :institution_id and id_number_blind = :id_number_blind for key share;

-- name: claim(institution_id, id)$
-- Still known, and not forgotten until this transaction ends.
select true from customers.people
where institution_id = :institution_id and id = :id and status <> 'erased' for key share;

-- name: phone_owner(institution_id, phone_blind)$
-- Whose verified phone this is (someone else's phone has an answer of its own).
select id from customers.people where institution_id = :institution_id and phone_blind = :phone_blind;

-- name: lock_phone(phone_blind)!
-- Held to the end of the transaction, so that one phone is given to one person at a time.
select pg_advisory_xact_lock(hashtextextended(encode(:phone_blind, 'hex'), 0));

-- name: search(institution_ids, id_number_blind, phone_blind, name_blind, most)
-- Who carries this number, phone or whole name: one of the three is given, the others are null.
-- scope: all institutions, because head office answers for every county; a county asks for itself alone. Ids only.
select institution_id, id from customers.people
where institution_id = any(:institution_ids::text[])
  and (id_number_blind = :id_number_blind or phone_blind = :phone_blind or name_blind = :name_blind)
order by created_at desc, id limit :most;

-- name: without_name_index(most)
-- People known before names were indexed; still sealed.
-- scope: all institutions, because one job brings everybody's up to date.
select institution_id, id, name_enc from customers.people where name_blind is null and status <> 'erased'
order by created_at limit :most;

-- name: set_name_index(institution_id, id, name_blind)!
-- Unless a newer card has just done it.
update customers.people set name_blind = :name_blind
where institution_id = :institution_id and id = :id and name_blind is null;

-- name: insert(institution_id, id, name_enc, name_blind, id_number_enc, id_number_blind, address_enc, issuer_enc, birth_on, sex, nation, card_valid_from, card_valid_until, now)$
-- A new person; null when another transaction has just added the same number.
insert into customers.people
    (institution_id, id, name_enc, name_blind, id_number_enc, id_number_blind, address_enc, issuer_enc, birth_on, sex,
     nation, card_valid_from, card_valid_until, created_at, updated_at)
values (:institution_id, :id, :name_enc, :name_blind, :id_number_enc, :id_number_blind, :address_enc, :issuer_enc,
        :birth_on, :sex, :nation, :card_valid_from, :card_valid_until, :now, :now)
on conflict do nothing
returning id;

-- name: update_from_card(institution_id, id, name_enc, name_blind, address_enc, issuer_enc, nation, card_valid_from, card_valid_until, now)!
-- A newer card of a known person; the number, birth date and sex do not change with it.
update customers.people
set name_enc = :name_enc, name_blind = :name_blind, address_enc = :address_enc, issuer_enc = :issuer_enc,
    nation = :nation, card_valid_from = :card_valid_from, card_valid_until = :card_valid_until, updated_at = :now
where institution_id = :institution_id and id = :id and card_valid_from <= :card_valid_from;

-- name: set_phone(institution_id, id, phone_enc, phone_blind, now)!
-- The phone a person has just proved by SMS code.
update customers.people set phone_enc = :phone_enc, phone_blind = :phone_blind, updated_at = :now
where institution_id = :institution_id and id = :id and status <> 'erased';

-- name: move(institution_id, id, from_status, to_status, now)!
-- Compare and set; the trigger holds the move to the lifecycle.
update customers.people set status = :to_status, updated_at = :now
where institution_id = :institution_id and id = :id and status = :from_status;

-- name: lock(institution_id, id)$
-- Held to the end of the transaction: whoever proves a card or a phone of this person meanwhile waits.
select status from customers.people where institution_id = :institution_id and id = :id for update;

-- name: kept_by(institution_id, id, before, law)$
-- Why a person is not to be forgotten yet; null for nothing in the way.
select customers.kept_by(:institution_id, :id, :before, :law);

-- name: due_page(after_institution, after, before, law, most)
-- People in the order of their key, and whether each is to be forgotten.
-- scope: all institutions, because one job keeps the promise of all. Ids only.
with looked as (
    select institution_id, id from customers.people
    where status = 'active' and updated_at < :before and (institution_id, id) > (:after_institution, :after::uuid)
    order by institution_id, id limit :most
)
select institution_id, id, customers.kept_by(institution_id, id, :before, :law) is null as due
from looked order by institution_id, id;

-- name: erase(institution_id, id, now)!
-- What names or finds somebody goes; the year of birth and the sex stay, for the figures of fairness.
update customers.people set status = 'erased', name_enc = null, name_blind = null, id_number_enc = null,
    id_number_blind = null, phone_enc = null, phone_blind = null, address_enc = null, issuer_enc = null, nation = null,
    card_valid_from = null, card_valid_until = null, birth_on = date_trunc('year', birth_on)::date, updated_at = :now
where institution_id = :institution_id and id = :id and status = 'active';

-- name: accounts_of(institution_id, customer_id)
-- The WeChat accounts that ever spoke for a person and speak for nobody else now.
select distinct b.openid from customers.bindings b
where b.institution_id = :institution_id and b.customer_id = :customer_id and not exists (
    select from customers.bindings o where o.institution_id = :institution_id and o.openid = b.openid
        and o.unbound_at is null and o.customer_id <> :customer_id);

-- name: forget_bindings(institution_id, customer_id)!
-- No account leads to a person who was forgotten.
delete from customers.bindings where institution_id = :institution_id and customer_id = :customer_id;

-- name: end_consents(institution_id, customer_id, today, now)!
-- What somebody agreed to ends with what we know of them; that they agreed stays.
update customers.consents set withdrawn_at = :now
where institution_id = :institution_id and customer_id = :customer_id and withdrawn_at is null
  and (valid_until is null or valid_until >= :today);

-- name: prove_consent(institution_id, consent_id, person)!
-- Kept when its giver is forgotten.
insert into customers.consent_proofs (institution_id, consent_id, person)
values (:institution_id, :consent_id, :person) on conflict do nothing;

-- name: consent_proof(institution_id, consent_id)$
-- Whose consent it was, as a keyed hash.
select person from customers.consent_proofs where institution_id = :institution_id and consent_id = :consent_id;

-- name: empty_closed(institution_id, id)$
-- Rows that nobody may change are emptied of an erased person.
select customers.empty_closed(:institution_id, :id);

-- name: erasures(institution_id)^
-- How many people were made anonymous, and when the last one was.
select count(*) as people, max(updated_at) as last_at from customers.people
where institution_id = :institution_id and status = 'erased';

-- name: phone_owners_everywhere(phone_blind)
-- scope: all institutions, because a person on a new phone does not say which county they asked. Ids only.
select institution_id, id from customers.people where phone_blind = :phone_blind;

-- name: same_person_everywhere(id_number_blind)
-- scope: all institutions, because two counties may serve one person, and caps are the person's. Ids only.
select institution_id, id from customers.people where id_number_blind = :id_number_blind;

-- name: bind(institution_id, id, openid, customer_id, now)$
-- Null when the account or the person is bound already; the two partial unique indexes decide races.
insert into customers.bindings (institution_id, id, openid, customer_id, bound_at)
values (:institution_id, :id, :openid, :customer_id, :now)
on conflict do nothing
returning id;

-- name: customer_of(institution_id, openid)$
-- For whom this WeChat account speaks.
select customer_id from customers.bindings
where institution_id = :institution_id and openid = :openid and unbound_at is null;

-- name: openid_of(institution_id, customer_id)$
-- Where this person is reached in WeChat.
select openid from customers.bindings
where institution_id = :institution_id and customer_id = :customer_id and unbound_at is null;

-- name: unbind(institution_id, openid, now)!
-- Ends a binding; its row stays as a record.
update customers.bindings set unbound_at = :now
where institution_id = :institution_id and openid = :openid and unbound_at is null;

-- name: bindings_everywhere(openid)
-- Which institutions know this WeChat account, before the bot knows whom to serve.
-- scope: all institutions, because the union has one official account and a message names no county.
select institution_id, customer_id from customers.bindings
where openid = :openid and unbound_at is null order by bound_at desc;

-- name: keep_consent_text(institution_id, sha256, source)!
-- The words themselves, once per hash, so that a hash can always be shown as text.
insert into customers.consent_texts (institution_id, sha256, source)
values (:institution_id, :sha256, :source) on conflict do nothing;

-- name: consent_text(institution_id, sha256)$
-- What a person agreed to, word for word.
select source from customers.consent_texts where institution_id = :institution_id and sha256 = :sha256;

-- name: give_consent(institution_id, id, customer_id, purpose, recipient, version, text_sha256, channel, given_at, valid_until)!
-- One row per purpose and recipient (D3-01, D3-02).
insert into customers.consents
    (institution_id, id, customer_id, purpose, recipient, version, text_sha256, channel, given_at, valid_until)
values (:institution_id, :id, :customer_id, :purpose, :recipient, :version, :text_sha256, :channel, :given_at,
        :valid_until);

-- name: standing_consent(institution_id, customer_id, purpose, recipient, on_day)^
-- The consent that covers an act on a day: given, not run out, not withdrawn (D3-09).
select id, purpose, recipient, version, text_sha256, channel, given_at, valid_until, withdrawn_at
from customers.consents
where institution_id = :institution_id and customer_id = :customer_id and purpose = :purpose
  and recipient = :recipient and withdrawn_at is null
  and (given_at at time zone 'Asia/Shanghai')::date <= :on_day
  and (valid_until is null or :on_day <= valid_until)
order by given_at desc limit 1;

-- name: withdraw_consents(institution_id, customer_id, purpose, now)!
-- Takes effect at once for every recipient of the purpose.
update customers.consents set withdrawn_at = :now
where institution_id = :institution_id and customer_id = :customer_id and purpose = :purpose
  and withdrawn_at is null;

-- name: consents_of(institution_id, customer_id)
-- Everything a person ever agreed to, newest first, for their consent centre.
select id, purpose, recipient, version, text_sha256, channel, given_at, valid_until, withdrawn_at
from customers.consents
where institution_id = :institution_id and customer_id = :customer_id order by given_at desc, id desc;

-- name: refuses(institution_id, customer_id, topic)$
-- Whether a customer does not want to be told of something.
select exists(select 1 from customers.notice_choices
    where institution_id = :institution_id and customer_id = :customer_id and topic = :topic and refused);

-- name: choose_notice(institution_id, customer_id, topic, refused, now)$
-- True when that is another choice than before; none before is a yes.
insert into customers.notice_choices (institution_id, customer_id, topic, refused, changed_at)
values (:institution_id, :customer_id, :topic, :refused, :now)
on conflict (institution_id, customer_id, topic) do update set refused = excluded.refused, changed_at = excluded.changed_at
where customers.notice_choices.refused <> excluded.refused
returning true;

-- name: freeze(institution_id, id, customer_id, reason, frozen_by, now)!
-- Beside the move of the person.
insert into customers.freezes (institution_id, id, customer_id, reason, frozen_by, frozen_at)
values (:institution_id, :id, :customer_id, :reason, :frozen_by, :now);

-- name: ask_release(institution_id, id, why, who, now)!
-- It stays frozen until another agrees.
update customers.freezes set release_why = :why, release_asked_by = :who, release_asked_at = :now
where institution_id = :institution_id and id = :id and released_at is null and release_asked_by is null;

-- name: release(institution_id, id, who, now)!
-- The second person; the table's own check refuses the first.
update customers.freezes set released_by = :who, released_at = :now
where institution_id = :institution_id and id = :id and released_at is null and release_asked_by is not null;

-- name: keep_frozen(institution_id, id)!
-- As if nobody had asked; that somebody did stands in the audit log.
update customers.freezes set release_why = null, release_asked_by = null, release_asked_at = null
where institution_id = :institution_id and id = :id and released_at is null;

-- name: frozen(institution_id, most)
-- Who is frozen, what waits for a second person first.
select id, customer_id, reason, frozen_by, frozen_at, release_why, release_asked_by, release_asked_at, released_by,
       released_at
from customers.freezes where institution_id = :institution_id and released_at is null
order by release_asked_at nulls last, frozen_at desc limit :most;

-- name: freezes_of(institution_id, customer_id)
-- All of one person, the newest first.
select id, customer_id, reason, frozen_by, frozen_at, release_why, release_asked_by, release_asked_at, released_by,
       released_at
from customers.freezes where institution_id = :institution_id and customer_id = :customer_id
order by frozen_at desc, id desc;

-- name: forget_freezes(institution_id, customer_id)!
-- Why somebody was frozen goes with the person; that they were, and who released them, stays.
update customers.freezes set reason = '\x', release_why = case when release_why is not null then '\x'::bytea end
where institution_id = :institution_id and customer_id = :customer_id;

-- name: erasure_request(institution_id, ticket_no)^
-- What is under way for a ticket, or was done.
select id, customer_id, ticket_no, asked_by, asked_at, checked_by, checked_at, agreed, done_at
from customers.erasure_requests
where institution_id = :institution_id and ticket_no = :ticket_no and agreed is not false;

-- name: ask_erasure(institution_id, id, customer_id, ticket_no, who, now)$
-- One at a time for a ticket.
insert into customers.erasure_requests (institution_id, id, customer_id, ticket_no, asked_by, asked_at)
values (:institution_id, :id, :customer_id, :ticket_no, :who, :now)
on conflict do nothing
returning true;

-- name: check_erasure(institution_id, id, who, agreed, now)!
-- Compare and set.
update customers.erasure_requests set checked_by = :who, checked_at = :now, agreed = :agreed
where institution_id = :institution_id and id = :id and agreed is null;

-- name: asked_erasures(institution_id)
-- Who proposed what waits for a second person, by ticket.
select ticket_no, asked_by from customers.erasure_requests
where institution_id = :institution_id and agreed is null;

-- name: waiting_erasures(institutions, who)
-- How many wait in each institution for a second person other than this one, and one of them.
-- scope: all institutions, because head office may be the second person of every county's. Ids only.
select institution_id, count(*) as waiting, min(ticket_no) as ticket_no from customers.erasure_requests
where institution_id = any(:institutions::text[]) and agreed is null and asked_by <> :who
group by institution_id order by institution_id;

-- name: due_erasures(most)
-- scope: all institutions, because one job carries out what all counties agreed to. Ids only.
select institution_id, id, customer_id, ticket_no, asked_by, asked_at, checked_by, checked_at, agreed, done_at
from customers.erasure_requests where agreed and done_at is null order by checked_at limit :most;

-- name: done_erasure(institution_id, id, now)!
-- Once.
update customers.erasure_requests set done_at = :now
where institution_id = :institution_id and id = :id and agreed and done_at is null;
