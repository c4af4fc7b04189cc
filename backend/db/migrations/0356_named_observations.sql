-- What a model said that a flow names by its hash, beside the one that scores the rating: its monitors count from here.
create table models.named_observations (
    institution_id text not null,
    decision_id uuid not null,
    model_hash text not null,
    score integer not null,
    bins jsonb not null,
    proposed boolean not null,           -- as in models.observations
    at timestamptz not null,
    primary key (institution_id, decision_id, model_hash)
);
create index on models.named_observations (institution_id, model_hash, at);
select xd.protect('models.named_observations');
select xd.append_only('models.named_observations');

-- Every model a case asked. `score` is that of a named model; the rating's own stands with the decision.
create view models.asked with (security_invoker = true) as
    select institution_id, decision_id, model_hash, null::integer as score, bins, proposed, at
    from models.observations
    union all
    select institution_id, decision_id, model_hash, score, bins, proposed, at from models.named_observations;
grant select on models.asked to xiaodai_app;
