-- What was tried, where it is a version of a strategy or a registered model: so that their pages list their trials.
alter table trials.runs add column strategy_id uuid;
alter table trials.runs add column model_id uuid;
create index on trials.runs (institution_id, strategy_id, asked_at desc) where strategy_id is not null;
create index on trials.runs (institution_id, model_id, asked_at desc) where model_id is not null;

-- Nothing ever wrote a release but tests: scorecards come in by the register of models (models.line_ups), strategies
-- by their versions (strategies.versions, decision.live).
drop table decision.releases;
