-- name: in_force(on_day)
-- All values answering for one day, for validation and for decisions that record what they relied on.
select key, effective_from, effective_to, unit, value, title, source, row_id
from regulation.parameters
where enabled and effective_from <= :on_day and (effective_to is null or :on_day <= effective_to)
order by key;

-- name: find(key, on_day)^
-- One value, for a caller that needs no other.
select key, effective_from, effective_to, unit, value, title, source, row_id
from regulation.parameters
where enabled and key = :key and effective_from <= :on_day and (effective_to is null or :on_day <= effective_to);
