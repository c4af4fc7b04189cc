-- name: lock_borrower(customer_id)$
-- Two questions of one borrower at once follow each other, whatever line they are for.
select pg_advisory_xact_lock(hashtextextended('post_loan.borrower' || :customer_id::text, 0));

-- name: keep(institution_id, id, application_id, customer_id, request_no, amount, payee, status, reason_codes, said, assessment_id, release_id, valid_until, now)$
-- One answer a question of the bank; asked again, the first stands.
insert into post_loan.drawdown_checks (institution_id, id, application_id, customer_id, request_no, amount, payee,
    status, reason_codes, said, assessment_id, release_id, valid_until, asked_at)
values (:institution_id, :id, :application_id, :customer_id, :request_no, :amount, :payee, :status, :reason_codes,
    :said, :assessment_id, :release_id, :valid_until, :now)
on conflict (institution_id, application_id, request_no) do nothing
returning true;

-- name: of_request(institution_id, application_id, request_no)^
-- The answer to a question of the bank.
select * from post_loan.drawdown_checks
where institution_id = :institution_id and application_id = :application_id and request_no = :request_no;

-- name: last_of(institution_id, application_id)^
-- How the newest drawdown of a line stands, for its customer.
select * from post_loan.drawdown_checks
where institution_id = :institution_id and application_id = :application_id
order by asked_at desc, id desc
limit 1;

-- name: get(institution_id, id)^
-- One check.
select * from post_loan.drawdown_checks where institution_id = :institution_id and id = :id;

-- name: held(institution_id, since, most, skipped)
-- What waits for a person, the longest first; not where the customer asked again since.
select * from post_loan.drawdown_checks d
where institution_id = :institution_id and status = 'held' and asked_at >= :since and cardinality(reason_codes) > 0
  and not exists (select from post_loan.drawdown_checks l
                  where l.institution_id = d.institution_id and l.application_id = d.application_id
                    and l.asked_at > d.asked_at)
order by asked_at, id
limit :most offset :skipped;

-- name: held_total(institution_id, since)$
-- How many wait for a person, counted as `held` lists them.
select count(*) from post_loan.drawdown_checks d
where institution_id = :institution_id and status = 'held' and asked_at >= :since and cardinality(reason_codes) > 0
  and not exists (select from post_loan.drawdown_checks l
                  where l.institution_id = d.institution_id and l.application_id = d.application_id
                    and l.asked_at > d.asked_at);

-- name: count_since(institution_id, customer_id, since, now)$
-- Drawdowns made, or allowed and still possible: what the strategy counts per day.
select count(*) from post_loan.drawdown_checks
where institution_id = :institution_id and customer_id = :customer_id and asked_at >= :since
  and (status = 'used' or (status = 'allowed' and valid_until > :now));

-- name: verified(institution_id, customer_id, payee)$
-- A person let this customer pay this account before.
select exists (
    select from post_loan.drawdown_checks
    where institution_id = :institution_id and customer_id = :customer_id and payee = :payee
      and status in ('released', 'passed')
);

-- name: release_for(institution_id, application_id, amount, payee, now)^
-- A person's release of this very drawdown, while it is good.
select * from post_loan.drawdown_checks
where institution_id = :institution_id and application_id = :application_id and status = 'released'
  and amount = :amount and payee is not distinct from :payee::bytea and valid_until > :now
order by answered_at desc
limit 1;

-- name: passed(institution_id, id)$
-- A release is good for one drawdown.
update post_loan.drawdown_checks set status = 'passed'
where institution_id = :institution_id and id = :id and status = 'released'
returning true;

-- name: answer(institution_id, id, status, found, valid_until, answered_by, now)$
-- What a person found; the first one counts.
update post_loan.drawdown_checks
set status = :status, found = :found, valid_until = :valid_until, answered_by = :answered_by, answered_at = :now
where institution_id = :institution_id and id = :id and status = 'held'
returning true;

-- name: use(institution_id, application_id, loan_no, amount, at)$
-- The drawdown that was reported, held against what we allowed: its own check when it was reported before, else the
-- oldest unused one of this amount that was valid when the money went out; the bank's clock may be a little behind.
with known as (
    select id from post_loan.drawdown_checks
    where institution_id = :institution_id and application_id = :application_id and loan_no = :loan_no
), free as (
    select id from post_loan.drawdown_checks
    where institution_id = :institution_id and application_id = :application_id and status = 'allowed'
      and amount = :amount and asked_at <= :at::timestamptz + interval '1 minute' and valid_until >= :at
      and not exists (select from known)
    order by asked_at
    limit 1
    for update
), taken as (
    update post_loan.drawdown_checks set status = 'used', loan_no = :loan_no
    where institution_id = :institution_id and id = (select id from free)
    returning id
)
select exists (select from known) or exists (select from taken);
