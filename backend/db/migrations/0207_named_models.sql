-- 流程里点名的评分卡和模型: their texts are kept with the texts of strategies, so that what names one decides and replays
-- for ever. Those registered before.
insert into decision.versions (hash, kind, name, stage, body, added_by, added_at)
select a.hash, 'scorecard', min(m.name), null, a.body, a.added_by, a.added_at
from models.artefacts a join models.models m on m.artefact = a.hash and m.decides and not m.external
where a.kind in ('scorecard', 'trees')
group by a.hash, a.body, a.added_by, a.added_at
on conflict (hash) do nothing;

-- Cards that came with a release: they can always be named. A release with another card adds it here.
create table decision.release_cards (hash text primary key check (hash ~ '^[0-9a-f]{64}$'));
insert into decision.release_cards values ('389d14697895206ef492a3a0e9f62d5547324d5c70b6f84e5f449db751fb88f7');
select xd.share('decision.release_cards');

create function decision.may_be_named(artefact text) returns boolean language sql stable as $$
    select exists (select from decision.release_cards r where r.hash = may_be_named.artefact)
        or exists (select from models.nameable n where n.artefact = may_be_named.artefact)
$$;

-- Held to the end of the transaction by whoever publishes what names a model and by whoever retires it: of the two one
-- comes first, and the other sees what it did.
create function decision.hold_models(artefacts text[]) returns void language plpgsql as $$
declare
    each text;
begin
    for each in select distinct a from unnest(artefacts) a order by a loop
        perform pg_advisory_xact_lock(hashtextextended('named model ' || each, 0));
    end loop;
end $$;
