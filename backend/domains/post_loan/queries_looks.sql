-- name: last_on(institution_id, application_id)$
-- The last night a line was looked at.
select looked_on from post_loan.looks where institution_id = :institution_id and application_id = :application_id;

-- name: looked(institution_id, application_id, on, outcome, gaps)$
-- One look a night, however many workers.
insert into post_loan.looks (institution_id, application_id, looked_on, outcome, gaps)
values (:institution_id, :application_id, :on, :outcome, :gaps)
on conflict (institution_id, application_id) do update
set looked_on = excluded.looked_on, outcome = excluded.outcome, gaps = excluded.gaps
where post_loan.looks.looked_on < excluded.looked_on
returning true;

-- name: read(institution_id, application_id, customer_id, consent_id, reference, sha256, price_fen, lenders, read_at)!
-- What the bureau said since the loan.
insert into post_loan.bureau_readings (institution_id, application_id, read_at, customer_id, consent_id, reference,
    sha256, price_fen, lenders)
values (:institution_id, :application_id, :read_at, :customer_id, :consent_id, :reference, :sha256, :price_fen,
    :lenders)
on conflict do nothing;

-- name: readings(institution_id, application_id)
-- What the bureau said since the loan, oldest first.
select read_at, lenders from post_loan.bureau_readings
where institution_id = :institution_id and application_id = :application_id
order by read_at;
