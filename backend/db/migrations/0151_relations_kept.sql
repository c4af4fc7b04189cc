-- How the state of the graph is kept while it grows. All writers of one institution take one lock, held to the end
-- of their transaction; they would wait for each other at its audit chain anyway.
create function relations.take(inst text) returns void language sql as $$
    select pg_advisory_xact_lock(hashtext('relations'), hashtext(inst));
$$;

-- Whether people who share this node hang together by it.
create function relations.joins(n relations.nodes) returns boolean language sql stable as $$
    select k.connects and not n.allowed and n.customers between 2 and k.hub_above
    from relations.kinds k where k.kind = n.kind;
$$;

-- A household of the roster before an address, the newest first; an address too many share is nobody's home.
create function relations.household_of(inst text, customer uuid) returns bytea language sql stable as $$
    select e.key
    from relations.edges e
    join relations.nodes n on n.institution_id = e.institution_id and n.kind = e.kind and n.key = e.key
    join relations.kinds k on k.kind = n.kind
    where e.institution_id = inst and e.customer_id = customer and e.kind in ('household', 'address')
      and not n.allowed and n.customers <= k.hub_above
    order by e.kind desc, e.first_at desc, e.key
    limit 1;
$$;

-- Work out the components among these customers anew. They must be whole components: everybody who hangs on one of
-- them is among them. The smallest label spreads over shared nodes until nothing changes.
create function relations.rebuild(inst text, ids uuid[]) returns void language plpgsql as $$
begin
    update relations.members m set component = m.customer_id
    where m.institution_id = inst and m.customer_id = any(ids) and m.component <> m.customer_id;
    loop
        with shared as materialized (
            select e.kind, e.key, min(m.component::text)::uuid as low
            from unnest(ids) as i(id)
            join relations.members m on m.institution_id = inst and m.customer_id = i.id
            join relations.edges e on e.institution_id = inst and e.customer_id = m.customer_id
            join relations.nodes n on n.institution_id = inst and n.kind = e.kind and n.key = e.key
            where n.customers > 1 and relations.joins(n)
            group by e.kind, e.key
        ), wanted as (
            select e.customer_id, min(s.low::text)::uuid as low
            from shared s
            join relations.edges e on e.institution_id = inst and e.kind = s.kind and e.key = s.key
            group by e.customer_id
        )
        update relations.members m set component = w.low from wanted w
        where m.institution_id = inst and m.customer_id = w.customer_id and w.low < m.component;
        exit when not found;
    end loop;
end $$;

-- A node was changed: bring everybody on it, and all who hang on them, up to date.
create function relations.reconsider(inst text, of_kind text, of_key bytea) returns void language plpgsql as $$
begin
    perform relations.rebuild(inst, array(
        select m.customer_id from relations.members m
        where m.institution_id = inst and m.component in (
            select o.component from relations.edges e
            join relations.members o on o.institution_id = inst and o.customer_id = e.customer_id
            where e.institution_id = inst and e.kind = of_kind and e.key = of_key)));
    if of_kind in ('household', 'address') then
        update relations.members m set household = relations.household_of(inst, m.customer_id)
        from relations.edges e
        where e.institution_id = inst and e.kind = of_kind and e.key = of_key
          and m.institution_id = inst and m.customer_id = e.customer_id
          and m.household is distinct from relations.household_of(inst, m.customer_id);
    end if;
end $$;

-- Note that a customer uses or owns something. Seen again, only the last time and the count move.
create function relations.connect(inst text, customer uuid, of_kind text, of_key bytea, in_role text,
                                  from_source text, application uuid, moment timestamptz) returns void
    language plpgsql as $$
declare
    fresh boolean;
    node relations.nodes;
    hub integer;
    joining boolean;
begin
    perform relations.take(inst);
    insert into relations.edges as e
        (institution_id, customer_id, kind, key, role, source, application_id, first_at, last_at)
    values (inst, customer, of_kind, of_key, in_role, from_source, application, moment, moment)
    on conflict (institution_id, customer_id, kind, key) do update
        set last_at = greatest(e.last_at, excluded.last_at), times = e.times + 1,
            application_id = coalesce(excluded.application_id, e.application_id),
            role = case when excluded.role = 'own' then 'own' else e.role end
    returning xmax = 0 into fresh;
    if not fresh then
        return;
    end if;
    insert into relations.members values (inst, customer, customer, null) on conflict do nothing;
    insert into relations.nodes as n values (inst, of_kind, of_key, 1, exists (
        select from relations.list_entries l
        where l.institution_id in (inst, '0000') and l.list = 'allow' and l.kind = of_kind and l.key = of_key
          and l.status = 'active' and l.expires_on >= (moment at time zone 'Asia/Shanghai')::date))
    on conflict (institution_id, kind, key) do update set customers = n.customers + 1
    returning * into node;
    select k.hub_above, k.connects into hub, joining from relations.kinds k where k.kind = of_kind;
    if not joining or node.allowed then
        return;
    elsif node.customers = hub + 1 then  -- it has just become a hub: what hung together by it alone falls apart
        perform relations.reconsider(inst, of_kind, of_key);
        return;
    elsif of_kind in ('household', 'address') then
        update relations.members m set household = relations.household_of(inst, customer)
        where m.institution_id = inst and m.customer_id = customer;
    end if;
    if node.customers between 2 and hub then
        perform relations.merge(inst, of_kind, of_key);
    end if;
end $$;

-- All components that meet at this node become the one with the smallest label.
create function relations.merge(inst text, of_kind text, of_key bytea) returns void language plpgsql as $$
declare
    meeting uuid[];
begin
    meeting := array(
        select distinct m.component from relations.edges e
        join relations.members m on m.institution_id = inst and m.customer_id = e.customer_id
        where e.institution_id = inst and e.kind = of_kind and e.key = of_key
        order by m.component);
    if cardinality(meeting) > 1 then
        update relations.members m set component = meeting[1]
        where m.institution_id = inst and m.component = any(meeting[2:]);
    end if;
end $$;

-- Take away what was last seen before a moment, at most so many edges; returns how many went.
create function relations.age(inst text, before timestamptz, most integer) returns integer language plpgsql as $$
declare
    gone integer;
    touched uuid[];
    homes uuid[];
begin
    perform relations.take(inst);
    create temp table aged_edges on commit drop as
        select customer_id, kind, key from relations.edges e
        where e.institution_id = inst and e.last_at < before order by e.last_at limit most;
    get diagnostics gone = row_count;
    create temp table aged_nodes on commit drop as   -- those that join people, or will when these edges are gone
        select a.kind, a.key from (select kind, key, count(*) as lost from aged_edges group by kind, key) a
        join relations.nodes n on n.institution_id = inst and n.kind = a.kind and n.key = a.key
        join relations.kinds k on k.kind = a.kind
        where k.connects and not n.allowed and n.customers - a.lost <= k.hub_above;
    if gone > 0 then
        touched := array(   -- whole components, as they are before anything goes
            select m.customer_id from relations.members m where m.institution_id = inst and m.component in (
                select o.component from aged_nodes a
                join relations.edges e on e.institution_id = inst and e.kind = a.kind and e.key = a.key
                join relations.members o on o.institution_id = inst and o.customer_id = e.customer_id));
        delete from relations.edges e using aged_edges a
        where e.institution_id = inst and e.customer_id = a.customer_id and e.kind = a.kind and e.key = a.key;
        update relations.nodes n set customers = n.customers - a.lost
        from (select kind, key, count(*) as lost from aged_edges group by kind, key) a
        where n.institution_id = inst and n.kind = a.kind and n.key = a.key;
        delete from relations.nodes n using aged_edges a
        where n.institution_id = inst and n.kind = a.kind and n.key = a.key and n.customers = 0;
        perform relations.rebuild(inst, touched);
        homes := array(select e.customer_id from aged_nodes a
            join relations.edges e on e.institution_id = inst and e.kind = a.kind and e.key = a.key
            where a.kind in ('household', 'address') union select customer_id from aged_edges);
        update relations.members m set household = relations.household_of(inst, m.customer_id)
        where m.institution_id = inst and m.customer_id = any(homes)
          and m.household is distinct from relations.household_of(inst, m.customer_id);
        delete from relations.members m using aged_edges a
        where m.institution_id = inst and m.customer_id = a.customer_id
          and not exists (select from relations.edges e where e.institution_id = inst
                          and e.customer_id = m.customer_id);
    end if;
    drop table aged_edges, aged_nodes;
    return gone;
end $$;

-- How many elsewhere in the union share a key: figures only, no institution, no customer, no key comes back
-- (A1-02, D3-15). Reads as the union does, for the length of this one statement.
create function relations.elsewhere(of_kinds text[], of_keys bytea[], here text)
    returns table (kind text, key bytea, institutions integer, customers integer)
    language sql stable set app.institution = '*' as $$
    select n.kind, n.key, count(*)::integer, sum(n.customers)::integer
    from unnest(of_kinds, of_keys) as wanted(kind, key)
    join relations.nodes n on n.kind = wanted.kind and n.key = wanted.key
    where n.institution_id <> here
    group by n.kind, n.key;
$$;
create index nodes_anywhere on relations.nodes (kind, key) include (customers);

grant execute on all functions in schema relations to xiaodai_app;
