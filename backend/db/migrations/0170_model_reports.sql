-- 验证报告 as the people saw it who reviewed and approved (A3-37, D1-05): one for each act that made a model tested,
-- kept when the model is sent back to draft. Drawn by us from `report`, never taken from outside.
create table models.reports (
    model_id uuid not null,
    seq integer not null,                -- the act in models.events it came with
    report jsonb not null,
    html text not null,
    pdf bytea not null,
    primary key (model_id, seq),
    foreign key (model_id, seq) references models.events
);
select xd.share('models.reports', writable => true);
select xd.append_only('models.reports');
