-- What was known of each line in the last night it was looked at for a warning (A6-06), whether it raised one or not: a
-- draft is tried on all of a county's lines, so that one sees how many more it would raise. One row a line.
create table decision.last_cases (
    institution_id text not null,
    application_id uuid not null,
    id uuid not null,                    -- new with every night: what is sealed is bound to it
    product_code text not null,
    facts bytea not null,                -- sealed: the case
    asked_at timestamptz not null,
    primary key (institution_id, application_id),
    foreign key (institution_id, application_id) references applications.applications
);
create index on decision.last_cases (institution_id, id desc);
select xd.protect('decision.last_cases');
