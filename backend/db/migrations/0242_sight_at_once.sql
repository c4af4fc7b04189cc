-- All edges of a case in a row of statements instead of one after the other: a submission holds the institution's lock
-- while it is sighted, so everybody behind it waits for what this costs. The state it leaves is the one of `connect`.

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
        ), member as (
            insert into relations.members
            select inst, customer, customer, null where exists (select from edge where fresh)
            on conflict do nothing
        ), node as (
            insert into relations.nodes as n
            select inst, e.kind, e.key, 1, exists (
                select from relations.list_entries l
                where l.institution_id in (inst, '0000') and l.list = 'allow' and l.kind = e.kind and l.key = e.key
                  and l.status = 'active' and l.expires_on >= (moment at time zone 'Asia/Shanghai')::date)
            from edge e where e.fresh
            on conflict (institution_id, kind, key) do update set customers = n.customers + 1
            returning kind, key, customers, allowed
        )
        select n.kind, n.key, n.customers, k.hub_above
        from node n join relations.kinds k on k.kind = n.kind
        where k.connects and not n.allowed and (n.customers > 1 or n.kind in ('household', 'address'))
    loop
        perform relations.met(inst, customer, met.kind, met.key, met.customers, met.hub_above);
    end loop;
end $$;

-- A node that joins people has one more of them: what hangs together by it, or by it no longer, and whose home it is.
create function relations.met(
    inst text, customer uuid, of_kind text, of_key bytea, customers integer, hub integer
) returns void language plpgsql as $$
begin
    if customers = hub + 1 then  -- it has just become a hub: what hung together by it alone falls apart
        perform relations.reconsider(inst, of_kind, of_key);
        return;
    elsif of_kind in ('household', 'address') then
        update relations.members m set household = relations.household_of(inst, customer)
        where m.institution_id = inst and m.customer_id = customer;
    end if;
    if customers between 2 and hub then
        perform relations.merge(inst, of_kind, of_key);
    end if;
end $$;

-- Note that a customer uses or owns something. Seen again, only the last time and the count move.
create or replace function relations.connect(
    inst text, customer uuid, of_kind text, of_key bytea, in_role text,
    from_source text, application uuid, moment timestamptz
) returns void language sql as $$
    select relations.sight(inst, application, customer, '{}', '{}', array[of_kind], array[of_key], array[in_role],
                           array[from_source], moment);
$$;

grant execute on function relations.met(text, uuid, text, bytea, integer, integer) to xiaodai_app;
