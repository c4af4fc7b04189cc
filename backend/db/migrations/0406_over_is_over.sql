-- A version whose time is over was approved for no longer: nobody brings it back, neither a person nor the timetable.
create or replace function strategies.keep_second() returns trigger language plpgsql as $$
declare
    last strategies.moves;
begin
    select m.* into last from strategies.moves m
    where m.institution_id = new.institution_id and m.version_id = new.id order by m.seq desc limit 1;
    if last.from_status is distinct from 'retired' or last.to_status is distinct from 'live'
       or (new.institution_id <> '*' and last.who = any (new.authors)) then
        raise exception 'who wrote in a version does not bring it back' using errcode = 'check_violation';
    end if;
    if new.effective_until <= last.at then
        raise exception 'what was approved until an end does not come back after it' using errcode = 'check_violation';
    end if;
    if last.who like 'system:%' and not exists (
        select from strategies.versions v
        join strategies.moves m on m.institution_id = v.institution_id and m.version_id = v.id
        where v.institution_id = new.institution_id and v.product_code = new.product_code and v.stage = new.stage
            and v.status = 'retired' and v.effective_until <= last.at
            and m.from_status = 'live' and m.to_status = 'retired' and m.at = last.at and m.who = last.who
    ) then
        raise exception 'only the end of another brings a version back by itself' using errcode = 'check_violation';
    end if;
    return null;
end $$;
