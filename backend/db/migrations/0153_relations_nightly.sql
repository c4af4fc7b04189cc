-- What is worth a look, and from how many households on; `days` where only a burst counts. Data, so that the union
-- changes it without a program.
create table relations.patterns (
    code text primary key,
    label text not null,
    severity text not null check (severity in ('refer', 'note')),
    least integer not null,
    days integer,
    position integer not null
);
insert into relations.patterns values
    ('RL_IMPERSONATION', '冒名', 'refer', 2, null, 1),
    ('RL_PAYEE', '垒大户', 'refer', 3, null, 2),
    ('RL_RETURNS', '钱回到别人手里', 'refer', 2, null, 3),
    ('RL_HELPER', '有人代办', 'refer', 4, 7, 4),
    ('RL_GUARANTEE', '互相担保', 'refer', 2, null, 5),
    ('RL_RING', '连成一片', 'refer', 9, null, 6),
    ('RL_PHONE', '手机号两家用', 'refer', 2, null, 7),
    ('RL_STAFF', '用了本行员工的号码或账户', 'refer', 1, null, 8),
    ('RL_DEVICE', '几家共用一部手机', 'note', 3, null, 9);
select xd.share('relations.patterns');

-- The nightly look: everything worked out from the edges alone, in steps that each end soon. Nothing is locked
-- while it looks; what differs is looked at once more under the lock before it is believed.
create function relations.look_members(inst text) returns integer language plpgsql as $$
declare found_members integer;
begin
    -- Numbers in the order of ids: the smallest number is the smallest id, and cheaper to compare.
    create temp table look_labels on commit drop as
        select row_number() over (order by m.customer_id)::integer as n,
               row_number() over (order by m.customer_id)::integer as label,
               m.customer_id, m.component as kept, m.household as kept_home
        from (
            select customer_id, component, household from relations.members where institution_id = inst
            union all
            select distinct e.customer_id, null::uuid, null::bytea from relations.edges e
            where e.institution_id = inst and not exists (
                select from relations.members m where m.institution_id = inst and m.customer_id = e.customer_id)
        ) m;
    get diagnostics found_members = row_count;
    create unique index on look_labels (n);
    create unique index on look_labels (customer_id);
    analyze look_labels;
    return found_members;
end $$;

create function relations.look_nodes(inst text) returns integer language plpgsql as $$
declare found_nodes integer;
begin
    create temp table look_nodes on commit drop as
        select row_number() over ()::integer as id, e.*, exists (
            select from relations.list_entries l
            where l.institution_id in (inst, '0000') and l.list = 'allow' and l.status = 'active'
              and l.kind = e.kind and l.key = e.key
              and l.expires_on >= (now() at time zone 'Asia/Shanghai')::date) as allowed
        from (select kind, key, count(*)::integer as customers from relations.edges
              where institution_id = inst group by kind, key) e;
    get diagnostics found_nodes = row_count;
    analyze look_nodes;
    create temp table look_edges on commit drop as
        select l.n as customer, n.id as node
        from look_nodes n
        join relations.kinds k on k.kind = n.kind and k.connects
        join relations.edges e on e.institution_id = inst and e.kind = n.kind and e.key = n.key
        join look_labels l on l.customer_id = e.customer_id
        where not n.allowed and n.customers between 2 and k.hub_above;
    analyze look_edges;
    return found_nodes;
end $$;

-- One round of the smallest label over every shared node, then a jump to the label of the label; 0: nothing moves.
create function relations.look_spread() returns integer language plpgsql as $$
declare moved integer;
begin
    with low as materialized (
        select e.node, min(l.label) as label
        from look_edges e join look_labels l on l.n = e.customer group by e.node
    ), wanted as (
        select e.customer, min(low.label) as label
        from look_edges e join low on low.node = e.node group by e.customer
    )
    update look_labels l set label = w.label from wanted w where l.n = w.customer and w.label < l.label;
    get diagnostics moved = row_count;
    if moved > 0 then
        update look_labels l set label = up.label from look_labels up where up.n = l.label and up.label < l.label;
    end if;
    return moved;
end $$;

-- What every customer's component and home should be, beside what was kept.
create function relations.look_homes(inst text) returns integer language plpgsql as $$
declare found_members integer;
begin
    create temp table look_done on commit drop as
        select l.customer_id, r.customer_id as label, h.key as home, l.kept, l.kept_home
        from look_labels l
        join look_labels r on r.n = l.label
        left join (
            select distinct on (e.customer_id) e.customer_id, e.key
            from relations.edges e
            join look_nodes n on n.kind = e.kind and n.key = e.key
            join relations.kinds k on k.kind = n.kind
            where e.institution_id = inst and e.kind in ('household', 'address')
              and not n.allowed and n.customers <= k.hub_above
            order by e.customer_id, e.kind desc, e.first_at desc, e.key
        ) h on h.customer_id = l.customer_id;
    get diagnostics found_members = row_count;
    return found_members;
end $$;

-- Bring the kept state to what the edges say, where it still differs now; returns how many customers and nodes did.
create function relations.look_repair(inst text) returns integer language plpgsql as $$
declare
    nodes_wrong integer := 0;
    people_wrong integer;
    ids uuid[];
begin
    perform relations.take(inst);
    create temp table wrong_nodes on commit drop as
        select coalesce(n.kind, l.kind) as kind, coalesce(n.key, l.key) as key, l.allowed
        from (select * from relations.nodes where institution_id = inst) n
        full join look_nodes l on l.kind = n.kind and l.key = n.key
        where n.customers is distinct from l.customers or n.allowed is distinct from l.allowed;
    create temp table right_nodes on commit drop as
        select w.kind, w.key, coalesce(w.allowed, false) as allowed,
               (select count(*) from relations.edges e
                where e.institution_id = inst and e.kind = w.kind and e.key = w.key)::integer as customers
        from wrong_nodes w;
    delete from relations.nodes n using right_nodes r
    where n.institution_id = inst and n.kind = r.kind and n.key = r.key and r.customers = 0;
    get diagnostics nodes_wrong = row_count;
    insert into relations.nodes as n
    select inst, r.kind, r.key, r.customers, r.allowed from right_nodes r where r.customers > 0
    on conflict (institution_id, kind, key) do update
        set customers = excluded.customers, allowed = excluded.allowed
        where (n.customers, n.allowed) <> (excluded.customers, excluded.allowed);
    get diagnostics people_wrong = row_count;
    nodes_wrong := nodes_wrong + people_wrong;

    insert into relations.members (institution_id, customer_id, component)
    select distinct inst, e.customer_id, e.customer_id from relations.edges e
    where e.institution_id = inst and not exists (
        select from relations.members m where m.institution_id = inst and m.customer_id = e.customer_id);
    get diagnostics people_wrong = row_count;
    nodes_wrong := nodes_wrong + people_wrong;
    ids := array(
        with wrong as materialized (
            select l.kept, l.label from look_done l
            where l.kept is distinct from l.label or l.kept_home is distinct from l.home
            union all
            select l.kept, l.label from wrong_nodes w
            join relations.edges e on e.institution_id = inst and e.kind = w.kind and e.key = w.key
            join look_done l on l.customer_id = e.customer_id
        ), labels as (select kept as label from wrong union select label from wrong)
        select l.customer_id from look_done l
        where l.label in (select label from labels) or l.kept in (select label from labels)
        union
        select m.customer_id from relations.members m
        where m.institution_id = inst and m.component in (select label from labels));
    if cardinality(ids) > 0 then
        create temp table were on commit drop as
            select customer_id, component, household from relations.members
            where institution_id = inst and customer_id = any(ids);
        perform relations.rebuild(inst, ids);
        update relations.members m set household = relations.household_of(inst, m.customer_id)
        where m.institution_id = inst and m.customer_id = any(ids);
        select count(*) into people_wrong from were w
        join relations.members m on m.institution_id = inst and m.customer_id = w.customer_id
        where (m.component, m.household) is distinct from (w.component, w.household);
        nodes_wrong := nodes_wrong + people_wrong;
        drop table were;
    end if;
    drop table wrong_nodes, right_nodes, look_nodes, look_edges, look_labels, look_done;
    return nodes_wrong;
end $$;

grant execute on all functions in schema relations to xiaodai_app;
