-- The night's own tables hold as many rows as there are customers, and nothing gathers figures about a temporary table
-- by itself: without them the homes of a million customers were looked up one by one, for more than ten minutes.
create or replace function relations.look_homes(inst text) returns integer language plpgsql as $$
declare found_members integer;
begin
    analyze look_nodes;
    analyze look_labels;
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
