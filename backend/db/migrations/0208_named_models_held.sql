-- 点名的模型不能抽走: no version is submitted, approved or live that names a model that may not be named, and no model
-- is retired while one names it. Python says it in sentences; whoever comes second in a race is stopped here.
create function decision.models_of(document jsonb) returns setof text language sql stable as $$
    with recursive run (document) as (
        select models_of.document
        union
        select v.body::jsonb from run
        cross join lateral
            jsonb_path_query(run.document, '$.nodes[*] ? (@.type == "decisionNode").content.key') f (key)
        join decision.versions v on v.hash = f.key #>> '{}' and v.kind = 'strategy'
    )
    select distinct m.model #>> '{}' from run
    cross join lateral
        jsonb_path_query(run.document, '$.nodes[*] ? (@.type == "customNode").content.config.model') m (model)
$$;

create function strategies.keep_named() returns trigger language plpgsql as $$
declare
    named text[];
    wrong text;
begin
    select array_agg(m) into named from decision.models_of(new.content::jsonb -> 'document') m;
    if named is null then
        return new;
    end if;
    perform decision.hold_models(named);
    select m into wrong from unnest(named) m where not decision.may_be_named(m) limit 1;
    if wrong is not null then
        raise exception 'model % may not be named', wrong using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger keep_named before update on strategies.versions for each row
    when (new.institution_id = '*' and (
        (old.submitted_at is null and new.submitted_at is not null)
        or (new.status in ('approved', 'live') and new.status is distinct from old.status)))
    execute function strategies.keep_named();

-- The strategies that would name nothing without this model: submitted, approved or live ones, those that cases under
-- way keep to, and a collection strategy that is being tried. Cases of all counties, but nothing of them is told.
create function models.named_by(model_id uuid) returns table (stage text, product_code text, number integer)
    language sql stable set app.institution = '*' as $$
    with gone (artefact) as (
        select m.artefact from models.models m
        where m.id = named_by.model_id
            and not exists (select from decision.release_cards r where r.hash = m.artefact)
            and not exists (select from models.nameable n where n.artefact = m.artefact and n.id <> m.id)
    ), kept (hash) as (
        select v.document_hash from strategies.versions v
        where v.institution_id = '*'
            and (v.status in ('approved', 'live') or (v.status = 'checked' and v.submitted_at is not null))
        union
        select s.value from decision.pins p
        join applications.applications a on a.institution_id = p.institution_id and a.id = p.application_id
            and a.status in ('submitted', 'deciding', 'held')
        cross join lateral jsonb_each_text(p.versions -> 'strategies') s
        union
        select c.document_hash from post_loan.challenges c where c.status in ('proposed', 'running')
    )
    select distinct on (d.hash) d.stage, coalesce(v.product_code, '*'), v.number
    from gone
    cross join kept
    join decision.versions d on d.hash = kept.hash
        and gone.artefact in (select decision.models_of(d.body::jsonb))
    left join strategies.versions v on v.institution_id = '*' and v.document_hash = d.hash
    order by d.hash, array_position(array['live', 'approved', 'checked', 'retired'], v.status), v.number desc
$$;

create function models.keep_named() returns trigger language plpgsql as $$
begin
    perform decision.hold_models(array[old.artefact]);
    if exists (select from models.named_by(old.id)) then
        raise exception 'a strategy names this model' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger keep_named before update on models.models for each row
    when (new.status = 'retired' and old.status <> 'retired') execute function models.keep_named();
