-- Taking somebody off a list that stops or watches loosens as much as putting them on tightens: one person asks, with
-- a reason, and another agrees (A6-01). Until then the line counts. What is only allowed may be taken back at once.
alter table relations.list_entries
    add column end_asked_by text,
    add column end_asked_at timestamptz,
    add column end_why bytea,            -- sealed
    add constraint end_is_asked_whole check (
        (end_asked_by is null) = (end_asked_at is null) and (end_asked_by is null) = (end_why is null));

create function relations.end_by_two() returns trigger language plpgsql as $$
begin
    if old.expires_on < (now() at time zone 'Asia/Shanghai')::date then
        return new;                      -- it counts no more; the line makes room for a new one
    end if;
    if new.end_asked_by is null or new.ended_by is null or new.ended_by = new.end_asked_by then
        raise exception 'a line of a list ends by two people' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger end_by_two before update on relations.list_entries for each row
    when (old.status = 'active' and new.status = 'ended' and new.list <> 'allow')
    execute function relations.end_by_two();
