create schema reviews;

-- 人工审查: a person looks at a case, because the rules referred it or the customer asked (D3-03).
create table reviews.reviews (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    kind text not null check (kind in ('referred', 'requested')),
    ground text not null default '',
    said bytea,                          -- sealed: the customer's own words
    asked_by text not null,
    status text not null default 'open', -- open -> answered, or closed with the application
    outcome text check (outcome in ('approved', 'declined', 'upheld', 'granted')),
    amount numeric(18, 2),
    annual_rate numeric(9, 6),
    term_months integer,
    reason text,
    answered_by text,
    new_application_id uuid,             -- a granted request goes on as a new application
    opened_at timestamptz not null,
    due_at timestamptz not null,
    answered_at timestamptz,
    primary key (institution_id, id),
    unique (institution_id, application_id, kind),
    foreign key (institution_id, application_id) references applications.applications,
    check (answered_by is distinct from asked_by or answered_by is null),
    check ((status = 'answered') = (outcome is not null and reason is not null and answered_at is not null)),
    check (outcome is null or outcome not in ('approved', 'granted')
           or (amount is not null and annual_rate is not null and term_months is not null))
);
create index on reviews.reviews (institution_id, status, due_at);
select xd.protect('reviews.reviews');

insert into xd.lifecycle (name, from_status, to_status) values
    ('review', 'open', 'answered'), ('review', 'open', 'closed');
select xd.obey_lifecycle('reviews.reviews', 'review');
