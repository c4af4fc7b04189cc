-- name: stale(institution_id, table, column, row_id, current, most)
-- Fields sealed with another key than the current one.
select s.row_id, s.stored
from xd.stale(:institution_id, :table::text::regclass, :column, :row_id, :current, :most) s;

-- name: reseal(institution_id, table, column, row_id, id, old, new)$
-- One field under the current key, unless it changed meanwhile.
select xd.reseal(:institution_id, :table::text::regclass, :column, :row_id, :id, :old, :new);

-- name: durability()
-- What the server does with a commit; synchronous_commit as this role gets it.
select name, setting from pg_settings
where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums')
order by name;

-- name: powers()^
-- Whether the role at work, or the login behind it, could see past row-level security.
select
    coalesce(bool_or(rolsuper or rolbypassrls) filter (where rolname = current_user), false) as role_sees_all,
    coalesce(bool_or(rolsuper or rolbypassrls) filter (where rolname = session_user), false) as login_sees_all
from pg_roles
where rolname in (current_user, session_user);

-- name: stamps()
-- Under which stamp each family of reference data stands; see `db/reference.py`.
select family, stamp from xd.reference;
