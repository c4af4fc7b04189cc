-- name: in_force(on_day)
-- All values answering for one day, for validation and for decisions that record what they relied on.
select key, effective_from, effective_to, unit, value, title, source, row_id
from regulation.parameters
where enabled and effective_from <= :on_day and (effective_to is null or :on_day <= effective_to)
order by key;

-- name: find(key, on_day)^
-- One value, for a caller that needs no other.
select key, effective_from, effective_to, unit, value, title, source, row_id
from regulation.parameters
where enabled and key = :key and effective_from <= :on_day and (effective_to is null or :on_day <= effective_to);

-- name: calendar_years()
-- Years whose days off are put in.
-- scope: all institutions, because the State Council's calendar is one; no customer data.
select year, source, set_by, set_at from regulation.calendar_years order by year;

-- name: calendar_days(first)
-- Days that are worked or off against their weekday.
-- scope: all institutions, because the State Council's calendar is one; no customer data.
select day, kind, title from regulation.calendar_days where day >= :first order by day;

-- name: set_year(year, source, set_by, now)!
-- A year as head office states it, in place of what stood there.
-- scope: all institutions, because the State Council's calendar is one; no customer data.
insert into regulation.calendar_years (year, source, set_by, set_at) values (:year, :source, :set_by, :now)
on conflict (year) do update set source = excluded.source, set_by = excluded.set_by, set_at = excluded.set_at;

-- name: clear_year(year)!
-- scope: all institutions, because the State Council's calendar is one; no customer data.
-- The days of a year that is about to be stated anew.
delete from regulation.calendar_days where year = :year;

-- name: add_days(year, days, kinds, titles)!
-- scope: all institutions, because the State Council's calendar is one; no customer data.
-- All days of a year in one statement.
insert into regulation.calendar_days (day, year, kind, title)
select d.day, :year, d.kind, d.title from unnest(:days::date[], :kinds::text[], :titles::text[]) as d (day, kind, title);
