-- What a case at the door does in a row, in one question each: every question costs as much as its answer.

-- What came up in a case and the edges it shows, under the institution's lock: the numbers follow the order of commits.
create function relations.sight(
    inst text, application uuid, customer uuid, kinds text[], keys bytea[],
    edge_kinds text[], edge_keys bytea[], roles text[], sources text[], moment timestamptz
) returns void language plpgsql as $$
begin
    perform relations.take(inst);
    insert into relations.sightings (institution_id, application_id, kind, key, customer_id, at)
    select inst, application, s.kind, s.key, customer, moment
    from unnest(kinds, keys) with ordinality as s(kind, key, place)
    order by s.place
    on conflict do nothing;
    perform relations.connect(inst, customer, e.kind, e.key, e.role, e.source, application, moment)
    from unnest(edge_kinds, edge_keys, roles, sources) as e(kind, key, role, source);
end $$;

-- As `promised_to`, once no other approval of this person is under way: both in one function, so that the sum sees what
-- the one before committed.
create function contracts.promised_and_held(person bytea) returns numeric language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('contracts.person' || encode(person, 'hex'), 0));
    return contracts.promised_to(person);
end $$;
