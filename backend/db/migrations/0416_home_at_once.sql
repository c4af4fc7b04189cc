-- Somebody new to the graph stands there with their home at once: the row was written without it and then anew, in all
-- its indexes, while everybody else waited for the institution's lock. Of a new one there are no edges but these, all of
-- one moment, so the home is the first of them by `household_of`'s order.
create or replace function relations.sight(
    inst text, application uuid, customer uuid, kinds text[], keys bytea[],
    edge_kinds text[], edge_keys bytea[], roles text[], sources text[], moment timestamptz
) returns void language plpgsql as $$
declare
    met record;
begin
    perform relations.take(inst);
    insert into relations.sightings (institution_id, application_id, kind, key, customer_id, at)
    select inst, application, s.kind, s.key, customer, moment
    from unnest(kinds, keys) with ordinality as s(kind, key, place)
    order by s.place
    on conflict do nothing;
    for met in
        with edge as (
            insert into relations.edges as e
                (institution_id, customer_id, kind, key, role, source, application_id, first_at, last_at)
            select inst, customer, g.kind, g.key, g.role, g.source, application, moment, moment
            from unnest(edge_kinds, edge_keys, roles, sources) as g(kind, key, role, source)
            on conflict (institution_id, customer_id, kind, key) do update
                set last_at = greatest(e.last_at, excluded.last_at), times = e.times + 1,
                    application_id = coalesce(excluded.application_id, e.application_id),
                    role = case when excluded.role = 'own' then 'own' else e.role end
            returning kind, key, xmax = 0 as fresh
        ), node as (
            insert into relations.nodes as n
            select inst, e.kind, e.key, 1, exists (
                select from relations.list_entries l
                where l.institution_id in (inst, '0000') and l.list = 'allow' and l.kind = e.kind and l.key = e.key
                  and l.status = 'active' and l.expires_on >= (moment at time zone 'Asia/Shanghai')::date)
            from edge e where e.fresh
            on conflict (institution_id, kind, key) do update set customers = n.customers + 1
            returning kind, key, customers, allowed
        ), joining as (
            select n.kind, n.key, n.customers, k.hub_above, n.kind in ('household', 'address') as home
            from node n join relations.kinds k on k.kind = n.kind
            where k.connects and not n.allowed
        ), newcomer as (
            insert into relations.members
            select inst, customer, customer, (
                select j.key from joining j where j.home and j.customers <= j.hub_above
                order by j.kind desc, j.key limit 1)
            where exists (select from edge where fresh)
            on conflict do nothing
            returning customer_id
        )
        select * from joining j
        where j.customers > 1 or j.home and not exists (select from newcomer)
    loop
        perform relations.met(inst, customer, met.kind, met.key, met.customers, met.hub_above);
    end loop;
end $$;
