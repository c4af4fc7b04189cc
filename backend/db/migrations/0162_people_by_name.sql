-- Staff find a person by the whole name (issue 2): a keyed hash, since the name itself is sealed (D3-14).
alter table customers.people add column name_blind bytea;
create index people_by_name on customers.people (institution_id, name_blind);
-- People known before this column; the worker gives them theirs, and then there are none.
create index people_without_name_index on customers.people (created_at) where name_blind is null;
