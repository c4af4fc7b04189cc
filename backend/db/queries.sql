-- name: stale(institution_id, table, column, row_id, current, most)
-- Fields sealed with another key than the current one.
select s.row_id, s.stored
from xd.stale(:institution_id, :table::text::regclass, :column, :row_id, :current, :most) s;

-- name: reseal(institution_id, table, column, row_id, id, old, new)$
-- One field under the current key, unless it changed meanwhile.
select xd.reseal(:institution_id, :table::text::regclass, :column, :row_id, :id, :old, :new);
