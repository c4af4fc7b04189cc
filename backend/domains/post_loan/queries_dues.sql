-- name: looked(institution_id, application_id, on)$
-- True when a line was not looked at that day yet.
insert into post_loan.due_looks (institution_id, application_id, looked_on)
values (:institution_id, :application_id, :on)
on conflict (institution_id, application_id) do update set looked_on = excluded.looked_on
where post_loan.due_looks.looked_on < excluded.looked_on
returning true;
