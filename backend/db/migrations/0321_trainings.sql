-- 训练新模型 on a page (A1-05, A3-37): what a modeller asked for, how far it is, what came of it.
create table models.trainings (
    institution_id text not null,
    id uuid not null,
    source text not null check (source in ('table', 'practice', 'own')),
    county_name text not null default '',  -- of a practice county
    columns jsonb not null,                -- [{name, kind, note}] of an uploaded table
    cases integer not null,                -- its rows
    status text not null check
        (status in ('prepared', 'waiting', 'running', 'done', 'refused', 'cancelled', 'registered')),
    choices jsonb,                         -- as typed; kept through a refusal
    step text not null default '',         -- what is being done, in words
    said bytea,                            -- sealed: why it came to nothing; may quote a cell
    turn integer not null default 0,       -- how often it was started: the job of an earlier turn keeps nothing
    attempts integer not null default 0,   -- of this turn: workers that took it
    asked_by text not null,
    asked_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    forget_at timestamptz,                 -- when the uploaded table is deleted at the latest; null: there is none
    model_id uuid,                         -- in the register
    primary key (institution_id, id)
);
create index on models.trainings (institution_id, asked_at desc);
create index on models.trainings (forget_at) where forget_at is not null;
select xd.protect('models.trainings');
select xd.obey_lifecycle('models.trainings', 'training');
insert into xd.lifecycle (name, from_status, to_status) values
    ('training', 'prepared', 'waiting'),
    ('training', 'waiting', 'running'),
    ('training', 'waiting', 'cancelled'),
    ('training', 'running', 'done'),
    ('training', 'running', 'refused'),
    ('training', 'running', 'cancelled'),
    ('training', 'refused', 'waiting'),
    ('training', 'cancelled', 'waiting'),
    ('training', 'done', 'waiting'),
    ('training', 'done', 'registered');

-- The uploaded table itself: personal data, sealed, gone at `forget_at`.
create table models.training_tables (
    institution_id text not null,
    training_id uuid not null,
    body bytea not null,                   -- sealed
    primary key (institution_id, training_id),
    foreign key (institution_id, training_id) references models.trainings
);
select xd.protect('models.training_tables');

-- The newest model of a training and its report, until both stand in the register.
create table models.training_results (
    institution_id text not null,
    training_id uuid not null,
    artefact text not null,                -- the model file
    report jsonb not null,
    html text not null,
    pdf bytea not null,
    primary key (institution_id, training_id),
    foreign key (institution_id, training_id) references models.trainings
);
select xd.protect('models.training_results');
