-- 主模型退不掉: no line-up begins with a model that is not in use, and none is retired that the newest line-up of a
-- family decides by. Python says it in sentences; whoever comes second in a race is stopped here. Without it a family
-- whose champion went away in between would be decided by a card nobody chose.
create function models.keep_in_use() returns trigger language plpgsql as $$
declare
    wanted uuid[] := array_remove(array[new.champion, new.challenger], null);
begin
    perform decision.hold_models(array(select m.artefact from models.models m where m.id = any(wanted)));
    if exists (select from models.models m where m.id = any(wanted) and m.status not in ('live', 'watch')) then
        raise exception 'a model of this line-up is not in use' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger keep_in_use before insert on models.line_ups for each row execute function models.keep_in_use();

create function models.keep_deciding() returns trigger language plpgsql as $$
begin
    perform decision.hold_models(array[old.artefact]);
    if exists (
        select from (
            select distinct on (l.family) l.champion, l.challenger from models.line_ups l
            order by l.family, l.seq desc
        ) newest where old.id in (newest.champion, newest.challenger)
    ) then
        raise exception 'this model decides for a family' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger keep_deciding before update on models.models for each row
    when (new.status = 'retired' and old.status <> 'retired') execute function models.keep_deciding();
