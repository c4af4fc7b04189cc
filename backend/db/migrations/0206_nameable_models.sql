-- 流程里点名的评分卡和模型: which registered models a flow may name by their hash. The bank's own only, one that decides,
-- approved and not retired; a model with county offsets is several models and has no one answer.
create view models.nameable with (security_invoker = true) as
    select m.id, m.artefact, m.name, m.status, m.made_at, a.kind
    from models.models m join models.artefacts a on a.hash = m.artefact
    where m.decides and not m.external and m.status in ('approved', 'shadow', 'live', 'watch')
        and a.kind in ('scorecard', 'trees');
grant select on models.nameable to xiaodai_app;
