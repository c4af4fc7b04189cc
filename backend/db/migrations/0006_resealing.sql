-- Key rotation. The catalogue of sealed columns is backend/db/sealed.py; nothing here comes from a person.
create function xd.stale(institution text, target regclass, sealed_column text, id_sql text, current integer, most integer)
returns table (row_id text, stored bytea) language plpgsql stable as $$
begin
    return query execute format(
        'select %s, %I from %s where institution_id = $1 and %I is not null and get_byte(%I, 1) <> $2 limit $3',
        id_sql, sealed_column, target, sealed_column, sealed_column) using institution, current, most;
end $$;

create function xd.reseal(institution text, target regclass, sealed_column text, id_sql text, id text, old bytea, new bytea)
returns boolean language plpgsql as $$
declare
    touched bigint;
begin
    perform set_config('xd.resealing', sealed_column, true);
    execute format('update %s set %I = $1 where institution_id = $2 and %s = $3 and %I = $4',
        target, sealed_column, id_sql, sealed_column) using new, institution, id, old;
    get diagnostics touched = row_count;
    perform set_config('xd.resealing', '', true);
    return touched = 1;
end $$;

-- Append-only rows may be sealed anew, nothing else about them may change.
create or replace function xd.refuse_change() returns trigger language plpgsql as $$
declare
    resealing text := nullif(current_setting('xd.resealing', true), '');
begin
    if tg_op = 'UPDATE' and resealing is not null and to_jsonb(new) - resealing = to_jsonb(old) - resealing then
        return new;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
