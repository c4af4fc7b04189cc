create schema surveys;

-- 线下调查 (A6-20, A7-04): what an officer saw and was told at a customer's home, and what a second person of the
-- county says of it. Only a confirmed one ever counts; what was confirmed does not change any more.
create table surveys.surveys (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,        -- the case the visit was made for
    customer_id uuid not null,
    officer_id uuid not null,
    status text not null default 'draft',
        -- draft -> submitted; submitted -> confirmed or returned; returned -> submitted
    answers bytea not null,              -- sealed: the form as it was filled in
    consent_id uuid,                     -- the customer's consent that covers it, since it was handed in
    visited_on date,
    begun_at timestamptz not null,
    saved_at timestamptz not null,
    submitted_at timestamptz,
    checked_by uuid,                     -- the second person
    checked_at timestamptz,
    in_place boolean,                    -- they looked at photographs and place: it is the home or the workplace
    checker_said bytea,                  -- sealed: their words
    primary key (institution_id, id),
    foreign key (institution_id, application_id) references applications.applications,
    foreign key (institution_id, customer_id) references customers.people,
    foreign key (institution_id, officer_id) references identity.staff,
    foreign key (institution_id, checked_by) references identity.staff,
    check (checked_by <> officer_id),
    check (status = 'draft' or (consent_id is not null and visited_on is not null and submitted_at is not null)),
    check (status not in ('confirmed', 'returned')
           or (checked_by is not null and checked_at is not null and in_place is not null))
);
create unique index surveys_open on surveys.surveys (institution_id, application_id) where status <> 'confirmed';
create index on surveys.surveys (institution_id, customer_id, visited_on desc) where status = 'confirmed';
create index on surveys.surveys (institution_id, officer_id, saved_at desc);
create index on surveys.surveys (institution_id, submitted_at) where status = 'submitted';
select xd.protect('surveys.surveys');
revoke delete on surveys.surveys from xiaodai_app;
insert into xd.lifecycle (name, from_status, to_status) values
    ('survey', 'draft', 'submitted'), ('survey', 'submitted', 'confirmed'), ('survey', 'submitted', 'returned'),
    ('survey', 'returned', 'submitted');
select xd.obey_lifecycle('surveys.surveys', 'survey');

-- 现场照片. Ours until the survey is confirmed and the image archive has receipted it (A5-08).
create table surveys.photos (
    institution_id text not null,
    id uuid not null,
    survey_id uuid not null,
    sha256 bytea not null,
    content bytea,                       -- sealed: the rebuilt JPEG; null once the archive keeps it
    taken_at timestamptz not null,       -- when it reached us
    archive_id text,
    archive_receipt text,
    primary key (institution_id, id),
    unique (institution_id, survey_id, sha256),
    foreign key (institution_id, survey_id) references surveys.surveys,
    check ((content is null) = (archive_receipt is not null) and (archive_id is null) = (archive_receipt is null))
);
select xd.protect('surveys.photos');
