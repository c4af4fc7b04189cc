-- The role the application works under, and the helpers every later migration ends with.
do $$
begin
    if not exists (select from pg_roles where rolname = 'xiaodai_app') then
        create role xiaodai_app login nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
end $$;

grant usage on schema xd to xiaodai_app;

-- The institution this transaction works for; null (nothing is visible) when none was set.
-- After a commit the setting is '' rather than null, hence nullif.
create function xd.institution() returns text language sql stable parallel safe
    return nullif(current_setting('app.institution', true), '');

-- A tenant table: reads see one institution (or all, for a union-wide reader), writes touch exactly one.
create function xd.protect(target regclass) returns void language plpgsql as $$
begin
    execute format('grant usage on schema %I to xiaodai_app',
        (select nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid where c.oid = target));
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy institution_reads on %s for select '
        'using (institution_id = xd.institution() or xd.institution() = ''*'')', target);
    execute format('create policy institution_writes on %s for all '
        'using (institution_id = xd.institution()) with check (institution_id = xd.institution())', target);
    execute format('grant select, insert, update, delete on %s to xiaodai_app', target);
end $$;

-- A table of the whole union without customer data: readable by all, written by migrations and seeds only
-- unless `writable`.
create function xd.share(target regclass, writable boolean default false) returns void language plpgsql as $$
begin
    execute format('grant usage on schema %I to xiaodai_app',
        (select nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid where c.oid = target));
    execute format('grant select on %s to xiaodai_app', target);
    if writable then
        execute format('grant insert, update, delete on %s to xiaodai_app', target);
    end if;
end $$;

create function xd.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

-- Rows are added and never changed, not even by the owner (short of dropping the trigger).
create function xd.append_only(target regclass) returns void language plpgsql as $$
begin
    execute format('revoke update, delete, truncate on %s from xiaodai_app', target);
    execute format('create trigger append_only before update or delete on %s '
        'for each row execute function xd.refuse_change()', target);
end $$;

-- Allowed moves of every status; filled by migrations, held against the Python tables by tests/house.
create table xd.lifecycle (
    name text not null,
    from_status text not null,
    to_status text not null,
    primary key (name, from_status, to_status)
);
select xd.share('xd.lifecycle');

create function xd.check_move() returns trigger language plpgsql as $$
begin
    if old.status is distinct from new.status and not exists (
        select from xd.lifecycle l
        where l.name = tg_argv[0] and l.from_status = old.status and l.to_status = new.status
    ) then
        raise exception '%: % -> % is not a move', tg_argv[0], old.status, new.status
            using errcode = 'check_violation';
    end if;
    return new;
end $$;

-- Let the trigger hold a table's `status` to its lifecycle.
create function xd.obey_lifecycle(target regclass, lifecycle_name text) returns void language plpgsql as $$
begin
    execute format('create trigger obey_lifecycle before update of status on %s '
        'for each row execute function xd.check_move(%L)', target, lifecycle_name);
end $$;
