-- 催收: one case a line while something is overdue; the plan is the strategy's, what may not happen is the guard's
-- (A6-07, D5-01…D5-03). Only the debtor is ever in here: there is no column for anybody else.
create table post_loan.collection_cases (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    customer_id uuid not null,
    owner_id uuid,                       -- officer; null: the county's
    status text not null default 'open', -- open -> closed
    days_past_due integer not null,
    balance numeric(18, 2) not null,     -- overdue principal
    segment text not null check (segment in ('forgetful', 'willing', 'hardship', 'unwilling', 'lost')),
    promise_on date,                     -- the day the debtor promised to pay by
    disputed boolean not null default false,
    do_not_contact boolean not null default false,
    action text not null,                -- the plan of the last night
    channel text not null,
    said bytea not null,                 -- sealed: the plan in words
    assessment_id uuid not null,
    next_on date not null,               -- not before this day
    opened_on date not null,
    closed_on date,
    primary key (institution_id, id),
    foreign key (institution_id, application_id) references applications.applications,
    foreign key (institution_id, assessment_id) references decision.assessments,
    check ((status = 'closed') = (closed_on is not null))
);
create unique index on post_loan.collection_cases (institution_id, application_id) where status = 'open';
create index on post_loan.collection_cases (institution_id, owner_id, next_on) where status = 'open';
select xd.protect('post_loan.collection_cases');

insert into xd.lifecycle (name, from_status, to_status) values ('collection_case', 'open', 'closed');
select xd.obey_lifecycle('post_loan.collection_cases', 'collection_case');

-- Every contact that was let happen, with what the gate said of it, and every one that was not; kept whole (D5-05).
create table post_loan.contacts (
    institution_id text not null,
    id uuid not null,
    case_id uuid not null,
    customer_id uuid not null,
    channel text not null check (channel in ('call', 'visit', 'sms', 'app', 'letter')),
    held text[] not null,                -- codes of what forbade it; empty: it happened
    assessment_id uuid not null,
    by_whom text not null,
    at timestamptz not null,
    primary key (institution_id, id),
    foreign key (institution_id, case_id) references post_loan.collection_cases,
    foreign key (institution_id, assessment_id) references decision.assessments
);
create index on post_loan.contacts (institution_id, customer_id, at);
create index on post_loan.contacts (institution_id, case_id, at);
select xd.protect('post_loan.contacts');
select xd.append_only('post_loan.contacts');

-- What came of a contact, in the officer's words; append-only like the contact (D5-05).
create table post_loan.contact_notes (
    institution_id text not null,
    id uuid not null,
    case_id uuid not null,
    note bytea not null,                 -- sealed
    segment text not null,
    promise_on date,
    disputed boolean not null,
    do_not_contact boolean not null,
    by_whom text not null,
    at timestamptz not null,
    primary key (institution_id, id),
    foreign key (institution_id, case_id) references post_loan.collection_cases
);
create index on post_loan.contact_notes (institution_id, case_id, at);
select xd.protect('post_loan.contact_notes');
select xd.append_only('post_loan.contact_notes');
grant update (note) on post_loan.contact_notes to xiaodai_app;  -- key rotation alone; the trigger refuses the rest
