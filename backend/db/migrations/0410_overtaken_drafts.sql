-- A draft that something newer overtook takes back what was changed meanwhile, though nobody meant it: what it was begun
-- from has stopped deciding, or something else has begun to, since its first save. One begun on purpose from an old
-- version (用它的内容起一份新草稿) is none, as long as what decided that day still does.
create function strategies.overtaken(of_institution text, of_version uuid) returns boolean language sql stable as $$
    with recursive way as (
        select v.institution_id, v.product_code, v.stage, v.base_id, v.made_at, 1 as step
        from strategies.versions v where v.institution_id = of_institution and v.id = of_version
        union all
        select v.institution_id, way.product_code, way.stage, v.base_id, v.made_at, way.step + 1
        from way join strategies.versions v on v.institution_id = way.institution_id and v.id = way.base_id
        where v.status not in ('live', 'retired')
    ), begun as (
        select * from way order by step desc limit 1
    ), now_live as (
        select v.id from begun join strategies.versions v on v.institution_id = begun.institution_id
            and v.product_code in ('*', begun.product_code) and v.stage = begun.stage
        where v.status = 'live' order by v.product_code = '*' limit 1
    )
    select exists (
        select from begun left join now_live on true
        join strategies.moves m on m.institution_id = begun.institution_id and m.at > begun.made_at
            and ((m.version_id = now_live.id and m.to_status = 'live')
                or (m.version_id = begun.base_id and m.to_status = 'retired'))
        where begun.base_id is distinct from now_live.id
    )
$$;

create function strategies.keep_newer() returns trigger language plpgsql as $$
begin
    if strategies.overtaken(new.institution_id, new.version_id) then
        raise exception 'something newer overtook this draft' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger keep_newer before insert on strategies.approvals for each row
    when (new.verdict = 'approved') execute function strategies.keep_newer();
