-- A county's version that was live once comes back by somebody who did not write in it (domains/strategies/going_back):
-- at the end of the statement the move stands beside it, and says who.
create function strategies.keep_second() returns trigger language plpgsql as $$
begin
    if not exists (
        select from strategies.moves m
        where m.institution_id = new.institution_id and m.version_id = new.id
            and m.from_status = 'retired' and m.to_status = 'live' and m.who <> all (new.authors)
            and m.seq = (select max(l.seq) from strategies.moves l
                where l.institution_id = new.institution_id and l.version_id = new.id)
    ) then
        raise exception 'who wrote in a version does not bring it back' using errcode = 'check_violation';
    end if;
    return null;
end $$;
create trigger keep_second after update on strategies.versions for each row
    when (new.institution_id <> '*' and old.status = 'retired' and new.status = 'live')
    execute function strategies.keep_second();
