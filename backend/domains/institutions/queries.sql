-- name: all()
-- Every live institution, for routing and lists; public facts.
select id, name, short_name, county, service_phone, address, region_prefixes
from institutions.institutions order by position, id;

-- name: get(id)^
-- One institution; public facts.
select id, name, short_name, county, service_phone, address, region_prefixes
from institutions.institutions where id = :id;

-- name: areas(institution_id)
-- Towns and villages an institution serves, for the short form.
select town, villages from institutions.areas where institution_id = :institution_id order by town;

-- name: of_town(words)
-- scope: all institutions, because which one serves the town is what is asked. With and without 镇 or 乡.
select distinct on (institution_id) institution_id, found
from institutions.areas, lateral (values (town), (rtrim(town, '镇乡'))) as said (found)
where length(found) > 1 and position(found in :words) > 0
order by institution_id, length(found) desc;

-- name: branches(institution_id)
-- Branches of one institution.
select id, name, address from institutions.branches where institution_id = :institution_id order by id;
