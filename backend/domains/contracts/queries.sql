-- name: insert(institution_id, id, application_id, customer_id, person_blind, number_begins, agreed_by, product_code, product_name, internet_consumer, limit_amount, annual_rate, term_months, repayment_method, purpose, agreed_on, valid_until, now)^
-- Written with the approval; its number ends with a serial of at least seven digits.
insert into contracts.contracts (institution_id, id, application_id, customer_id, person_blind, contract_no, agreed_by,
    product_code, product_name, internet_consumer, limit_amount, annual_rate, term_months, repayment_method,
    purpose, agreed_on, valid_until, created_at, updated_at)
select :institution_id, :id, :application_id, :customer_id, :person_blind,
    :number_begins::text || lpad(serial::text, greatest(7, length(serial::text)), '0'), :agreed_by, :product_code,
    :product_name, :internet_consumer, :limit_amount, :annual_rate, :term_months, :repayment_method, :purpose,
    :agreed_on, :valid_until, :now, :now
from nextval('contracts.number_seq') as serial
returning *;

-- name: of_application(institution_id, application_id)^
-- The contract of a case.
select * from contracts.contracts
where institution_id = :institution_id and application_id = :application_id;

-- name: standing(institution_id, application_id)^
-- What the bank asks right before the signature; it needs no more of the contract.
select status, valid_until from contracts.contracts
where institution_id = :institution_id and application_id = :application_id;

-- name: lock(institution_id, application_id)^
-- The contract of a case, so that callbacks are applied one after the other.
select * from contracts.contracts
where institution_id = :institution_id and application_id = :application_id
for update;

-- name: institution_of(application_id)$
-- scope: all institutions, because the mobile bank asks by application without naming the institution.
select institution_id from contracts.contracts where application_id = :application_id;

-- name: promised(person_blind)$
-- Internet consumer limits of this person which core banking does not know yet (D1-01), over all counties. Two approvals
-- of one person at once wait for each other, in whichever county, so that their limits add up.
select contracts.promised_and_held(:person_blind);

-- name: make_ready(institution_id, id, manifest_sha256, now)!
-- The documents are fixed; the trigger asks for the confirmed disclosure.
update contracts.contracts set status = 'ready', manifest_sha256 = :manifest_sha256, updated_at = :now
where institution_id = :institution_id and id = :id and status = 'draft';

-- name: move(institution_id, id, from_status, to_status, now)!
-- Compare and set.
update contracts.contracts set status = :to_status, updated_at = :now
where institution_id = :institution_id and id = :id and status = :from_status;

-- name: sign(institution_id, id, signature_no, line_no, signed_at, now)!
-- The mobile bank has the signature.
update contracts.contracts
set status = 'signed', signature_no = :signature_no, line_no = :line_no, signed_at = :signed_at, updated_at = :now
where institution_id = :institution_id and id = :id and status = 'ready';

-- name: set_offer(institution_id, id, offer_no, now)!
-- The mobile bank's receipt for the offer.
update contracts.contracts set offer_no = :offer_no, updated_at = :now
where institution_id = :institution_id and id = :id;

-- name: set_sequence(institution_id, id, bank_sequence, now)!
-- How far the callbacks are applied; never backwards.
update contracts.contracts set bank_sequence = :bank_sequence, updated_at = :now
where institution_id = :institution_id and id = :id and bank_sequence < :bank_sequence;

-- name: confirm(institution_id, id, contract_id, version, sha256, shown_at, required_seconds, confirmed_by, now)$
-- The first confirmation counts.
insert into contracts.disclosures
values (:institution_id, :id, :contract_id, :version, :sha256, :shown_at, :now, :required_seconds, :confirmed_by)
on conflict do nothing
returning true;

-- name: confirmation(institution_id, contract_id)^
-- What the customer confirmed, and when.
select version, sha256, shown_at, confirmed_at from contracts.disclosures
where institution_id = :institution_id and contract_id = :contract_id;

-- name: add_document(institution_id, id, contract_id, position, kind, title, sha256, content, now)!
-- A document as it is signed.
insert into contracts.documents
values (:institution_id, :id, :contract_id, :position, :kind, :title, :sha256, :content, :now);

-- name: documents(institution_id, contract_id)
-- The package in order, without the bytes.
select id, kind, title, sha256 from contracts.documents
where institution_id = :institution_id and contract_id = :contract_id
order by position;

-- name: document(institution_id, contract_id, id)^
-- One document with its bytes.
select id, kind, title, sha256, content from contracts.documents
where institution_id = :institution_id and contract_id = :contract_id and id = :id;

-- name: quiet(before, most)
-- scope: all institutions, because one job asks the mobile bank for everybody. Ids only.
select institution_id, application_id from contracts.contracts
where status in ('ready', 'signed') and offer_no is not null and coalesce(polled_at, updated_at) < :before
order by polled_at nulls first
limit :most;

-- name: polled(institution_id, application_id, now)!
-- Asked just now.
update contracts.contracts set polled_at = :now
where institution_id = :institution_id and application_id = :application_id;

-- name: lapsed(on, most)
-- scope: all institutions, because one job lets offers expire for everybody. Ids only.
select institution_id, application_id from contracts.contracts
where status in ('draft', 'ready') and valid_until < :on
order by valid_until
limit :most;

-- name: of_customer(institution_id, customer_id)
-- Every contract of a person with this institution, the newest first.
select * from contracts.contracts where institution_id = :institution_id and customer_id = :customer_id
order by created_at desc;

-- name: forget(institution_id, applications)!
-- Whose terms they were is not to be found any more; the caller knows that nothing keeps them.
update contracts.contracts set person_blind = '\x'
where institution_id = :institution_id and application_id = any(:applications::uuid[]);
