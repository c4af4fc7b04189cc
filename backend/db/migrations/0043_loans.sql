create schema loans;

-- 借据, a mirror: what the mobile bank and core told us. Money is never moved from here (A3-10).
create table loans.loans (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    contract_id uuid not null,
    loan_no text not null,
    line_no text not null,
    status text not null default 'active',  -- active -> paid_off
    amount numeric(18, 2) not null check (amount > 0),
    outstanding numeric(18, 2) not null check (outstanding between 0 and amount),
    interest_paid numeric(18, 2) not null default 0,
    term_months integer not null,
    drawn_at timestamptz not null,
    paid_off_at timestamptz,
    primary key (institution_id, id),
    unique (institution_id, loan_no),
    foreign key (institution_id, contract_id) references contracts.contracts,
    check ((status = 'paid_off') = (outstanding = 0))
);
create index on loans.loans (institution_id, application_id);
select xd.protect('loans.loans');

insert into xd.lifecycle (name, from_status, to_status) values ('loan', 'active', 'paid_off');
select xd.obey_lifecycle('loans.loans', 'loan');

create table loans.postings (
    institution_id text not null,
    event_id text not null,              -- of the callback: a repeated one posts nothing
    loan_id uuid not null,
    kind text not null check (kind in ('drawn', 'repaid')),
    principal numeric(18, 2) not null,
    interest numeric(18, 2) not null,
    outstanding numeric(18, 2) not null,
    at timestamptz not null,
    primary key (institution_id, event_id),
    foreign key (institution_id, loan_id) references loans.loans
);
create index on loans.postings (institution_id, loan_id);
select xd.protect('loans.postings');
select xd.append_only('loans.postings');

-- What the daily comparison with the mobile bank found (A5-05).
create table loans.reconciliations (
    institution_id text not null,
    bank_day date not null,
    events integer not null,
    healed integer not null,             -- callbacks that never reached us
    unexplained integer not null,        -- events of applications unknown to us, or refused
    sha256 text not null,
    run_at timestamptz not null,
    primary key (institution_id, bank_day)
);
select xd.protect('loans.reconciliations');
