-- Whether somebody has shown their face on the way to a guarantee is asked whenever a card names a known person.
create index on guarantees.guarantees (institution_id, guarantor_id) where status = 'opened';

-- What a guarantor gave their word to stays as it was given; a confirmed guarantee only ends (A1-08).
create function guarantees.keep_the_word() returns trigger language plpgsql as $$
declare
    resealing text := coalesce(nullif(current_setting('xd.resealing', true), ''), '-');
    ending constant text[] := array['status', 'why', 'ended_at', 'updated_at'];
begin
    if to_jsonb(new) - ending - resealing is distinct from to_jsonb(old) - ending - resealing then
        raise exception 'a confirmed guarantee is not changed' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger keep_the_word before update on guarantees.guarantees
    for each row when (old.confirmed_at is not null) execute function guarantees.keep_the_word();

-- A chain without its end would verify as no chain at all.
revoke delete, truncate on audit.heads from xiaodai_app;
