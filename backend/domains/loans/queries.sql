-- name: draw(institution_id, id, application_id, contract_id, loan_no, line_no, amount, term_months, drawn_at)$
-- A loan appears with its first callback.
insert into loans.loans (institution_id, id, application_id, contract_id, loan_no, line_no, amount, outstanding,
    term_months, drawn_at)
values (:institution_id, :id, :application_id, :contract_id, :loan_no, :line_no, :amount, :amount, :term_months,
    :drawn_at)
on conflict (institution_id, loan_no) do nothing
returning true;

-- name: post(institution_id, event_id, loan_id, kind, principal, interest, outstanding, at)$
-- One row per callback; a repeated one posts nothing.
insert into loans.postings
values (:institution_id, :event_id, :loan_id, :kind, :principal, :interest, :outstanding, :at)
on conflict do nothing
returning true;

-- name: repay(institution_id, loan_no, principal, interest, at)$
-- Compare and set in one statement: what is owed goes down by what was repaid, never below zero (a check).
update loans.loans
set outstanding = outstanding - :principal, interest_paid = interest_paid + :interest,
    status = case when outstanding = :principal then 'paid_off' else status end,
    paid_off_at = case when outstanding = :principal then :at::timestamptz end
where institution_id = :institution_id and loan_no = :loan_no and status = 'active'
  and outstanding >= :principal
returning outstanding;

-- name: by_number(institution_id, loan_no)^
-- One loan.
select * from loans.loans where institution_id = :institution_id and loan_no = :loan_no;

-- name: of_application(institution_id, application_id)
-- All loans drawn under one contract, oldest first.
select * from loans.loans
where institution_id = :institution_id and application_id = :application_id
order by drawn_at, loan_no;

-- name: postings(institution_id, loan_id)
-- The history of a loan.
select kind, principal, interest, outstanding, at from loans.postings
where institution_id = :institution_id and loan_id = :loan_id
order by at, event_id;

-- name: reconciled(institution_id, bank_day, events, healed, unexplained, sha256, now)!
-- The last comparison of a day counts; what it healed adds up.
insert into loans.reconciliations
values (:institution_id, :bank_day, :events, :healed, :unexplained, :sha256, :now)
on conflict (institution_id, bank_day) do update
set events = excluded.events, healed = loans.reconciliations.healed + excluded.healed,
    unexplained = excluded.unexplained, sha256 = excluded.sha256, run_at = excluded.run_at;

-- name: reconciliations(institution_id, most)
-- The latest comparisons, for the console.
select bank_day, events, healed, unexplained, sha256, run_at from loans.reconciliations
where institution_id = :institution_id
order by bank_day desc
limit :most;
