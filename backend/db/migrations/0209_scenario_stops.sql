-- Stopping a scenario takes a safety net away: one person asks, with a reason, and another agrees (A3-34, D1-05).
alter table strategies.scenarios
    add column stop_asked_by text,
    add column stop_why text,
    add column stop_asked_at timestamptz,
    add column retired_by text,
    add constraint stop_has_a_reason check (
        (stop_asked_by is null) = (coalesce(stop_why, '') = '') and (stop_asked_by is null) = (stop_asked_at is null)),
    add constraint stop_by_two check (retired_by is null or (stop_asked_by is not null and retired_by <> stop_asked_by));

create function strategies.stop_by_two() returns trigger language plpgsql as $$
begin
    if new.retired_at is not null and new.retired_by is null then
        raise exception 'a scenario is stopped by two people' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger stop_by_two before update on strategies.scenarios for each row
    when (old.retired_at is null) execute function strategies.stop_by_two();
