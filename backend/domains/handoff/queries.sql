-- name: issue(institution_id, id, application_id, kind, code_index, expires_at, now)!
-- A way in was given to the customer.
insert into handoff.tickets (institution_id, id, application_id, kind, code_index, issued_at, expires_at)
values (:institution_id, :id, :application_id, :kind, :code_index, :now, :expires_at);

-- name: burn(institution_id, id, now)$
-- Compare and set: of a hundred at once exactly one gets the row.
update handoff.tickets set redeemed_at = :now
where institution_id = :institution_id and id = :id and redeemed_at is null and expires_at > :now
returning true;

-- name: get(institution_id, id)^
-- Why a ticket could not be burned.
select institution_id, id, application_id, kind, tries, issued_at, expires_at, redeemed_at
from handoff.tickets where institution_id = :institution_id and id = :id;

-- name: by_code(code_index)
-- scope: all institutions, because a short code does not say which institution gave it out. Newest first.
select institution_id, id, application_id, kind, tries, issued_at, expires_at, redeemed_at
from handoff.tickets where code_index = :code_index
order by issued_at desc
limit 2;

-- name: count_try(institution_id, id)!
-- The code was right but the person was not.
update handoff.tickets set tries = tries + 1 where institution_id = :institution_id and id = :id;

-- name: end_codes(institution_id, application_id, now)!
-- A new code ends the ones before it.
update handoff.tickets set expires_at = :now
where institution_id = :institution_id and application_id = :application_id and kind = 'short_code'
  and redeemed_at is null and expires_at > :now;

-- name: forget(institution_id, applications)!
-- Ways in that were never gone to the end.
delete from handoff.tickets
where institution_id = :institution_id and application_id = any(:applications::uuid[]);
