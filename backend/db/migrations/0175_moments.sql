-- What was asked outside a decision (marketing gate, pre-screen, drawdown check, early warning, collection): facts,
-- versions and trace of each, as of a decision (A3-25, A3-38). `subject` says what it was about within its stage: an
-- application, a request of the bank, a loan.
create table decision.assessments (
    institution_id text not null,
    id uuid not null,
    stage text not null,
    subject text not null,
    application_id uuid,
    product_code text not null,
    outcome text not null,
    reason_codes text[] not null,
    completeness_bp integer not null check (completeness_bp between 0 and 10000),
    versions jsonb not null,             -- {strategy, catalogue, code}
    capsule bytea not null,              -- sealed: case and assessment, byte for byte
    capsule_sha256 bytea not null check (length(capsule_sha256) = 32),
    assessed_at timestamptz not null,
    primary key (institution_id, id)
);
create index on decision.assessments (institution_id, application_id, stage, assessed_at);
create index on decision.assessments (institution_id, stage, assessed_at);
select xd.protect('decision.assessments');
select xd.append_only('decision.assessments');
grant update (capsule) on decision.assessments to xiaodai_app;  -- key rotation alone; the trigger refuses the rest

create schema post_loan;

-- 用款核查: what we answered the mobile bank before each drawdown (A7-06, A3-25). Money moves only on `allowed` or
-- `released`; what a person let pass is asked anew and must still be all but that one question.
create table post_loan.drawdown_checks (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    customer_id uuid not null,
    request_no text not null,            -- the bank's number of its question
    amount numeric(18, 2) not null check (amount > 0),
    payee bytea,                         -- keyed hash of the account the money goes on to; null: it stays
    status text not null,                -- allowed -> used; held -> released, rejected; released -> passed
    reason_codes text[] not null,
    said bytea not null,                 -- sealed: the sentence the customer reads
    assessment_id uuid not null,
    release_id uuid,                     -- the held check a person let pass, on which this one was allowed
    valid_until timestamptz,             -- of an allowed or released one
    loan_no text,
    asked_at timestamptz not null,
    answered_by text,
    answered_at timestamptz,
    found bytea,                         -- sealed: what the person found
    primary key (institution_id, id),
    unique (institution_id, application_id, request_no),
    foreign key (institution_id, application_id) references applications.applications,
    foreign key (institution_id, assessment_id) references decision.assessments,
    check ((status = 'used') = (loan_no is not null)),
    check (status not in ('allowed', 'used', 'released') or valid_until is not null),
    check ((answered_by is null) = (answered_at is null) and (answered_by is null) = (found is null)),
    check (status not in ('released', 'rejected', 'passed') or answered_by is not null)
);
create index on post_loan.drawdown_checks (institution_id, application_id, asked_at);
create index on post_loan.drawdown_checks (institution_id, customer_id, asked_at);
create index on post_loan.drawdown_checks (institution_id, asked_at) where status = 'held';
select xd.protect('post_loan.drawdown_checks');

insert into xd.lifecycle (name, from_status, to_status) values
    ('drawdown_check', 'allowed', 'used'), ('drawdown_check', 'held', 'released'),
    ('drawdown_check', 'held', 'rejected'), ('drawdown_check', 'released', 'passed');
select xd.obey_lifecycle('post_loan.drawdown_checks', 'drawdown_check');

-- 贷后预警: at most one that stands for a line at a time; the strictest of what the nights said of its loans (A6-06).
create table post_loan.warnings (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    customer_id uuid not null,
    owner_id uuid,                       -- officer; null: the county's
    action text not null check (action in ('watch', 'call', 'visit', 'freeze')),
    status text not null default 'open', -- open -> standing, cleared; standing -> open, cleared
    codes text[] not null,
    said bytea not null,                 -- sealed: the signals in words
    assessment_id uuid not null,
    raised_on date not null,             -- when it reached this action
    last_on date not null,               -- the last night that said so
    due_on date not null,
    answered_by text,
    answered_at timestamptz,
    false_alarm boolean,
    observed text check (observed in ('misuse_suspected', 'misuse_confirmed', 'contact_lost')),
    done bytea,                          -- sealed: what was done and found
    primary key (institution_id, id),
    foreign key (institution_id, application_id) references applications.applications,
    foreign key (institution_id, assessment_id) references decision.assessments,
    check (status = 'open' or answered_by is not null),
    check ((answered_by is null) = (answered_at is null) and (answered_by is null) = (done is null)),
    check ((status = 'cleared') = (false_alarm is not null))
);
create unique index on post_loan.warnings (institution_id, application_id) where status <> 'cleared';
create index on post_loan.warnings (institution_id, status, due_on);
create index on post_loan.warnings (institution_id, customer_id);
select xd.protect('post_loan.warnings');

-- The last night each line was looked at, and what it gave: so that a night that was broken off goes on where it was.
create table post_loan.looks (
    institution_id text not null,
    application_id uuid not null,
    looked_on date not null,
    outcome text not null,
    gaps integer not null,               -- facts that were missing
    primary key (institution_id, application_id),
    foreign key (institution_id, application_id) references applications.applications
);
select xd.protect('post_loan.looks');

-- 贷后征信查询: at most one in `warning.bureau_days` a line, under the customer's own consent, which covers it until the
-- loan is paid off; only how many lenders there are is kept (A6-06, D3-09).
create table post_loan.bureau_readings (
    institution_id text not null,
    application_id uuid not null,
    read_at timestamptz not null,
    customer_id uuid not null,
    consent_id uuid not null,
    reference text not null,             -- the bureau's number of the report
    sha256 text not null,
    price_fen integer not null,
    lenders integer not null check (lenders >= 0),
    primary key (institution_id, application_id, read_at),
    foreign key (institution_id, application_id) references applications.applications
);
select xd.protect('post_loan.bureau_readings');
select xd.append_only('post_loan.bureau_readings');

insert into xd.lifecycle (name, from_status, to_status) values
    ('warning', 'open', 'standing'), ('warning', 'open', 'cleared'), ('warning', 'standing', 'open'),
    ('warning', 'standing', 'cleared');
select xd.obey_lifecycle('post_loan.warnings', 'warning');

insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('drawdown.minimum', '2024-07-01', null, 'fen', '10000', true,
 '单笔用款最低金额（本联社取值）', '《个人贷款管理办法》（2024年第3号令）', 'A7-06'),
('drawdown.valid_minutes', '2024-07-01', null, 'count', '30', true,
 '用款核查通过后可用款的时间（分钟，本系统取值）', '《个人贷款管理办法》（2024年第3号令）', 'A7-06'),
('drawdown.release_hours', '2024-07-01', null, 'count', '24', true,
 '人工核实放行后可再次用款的时间（小时，本系统取值）', '《个人贷款管理办法》（2024年第3号令）', 'A7-06'),
('warning.watch.working_days', '2024-07-01', null, 'count', '5', true,
 '“关注”级预警的处理时限（工作日，本联社取值）', '《个人贷款管理办法》（2024年第3号令）：贷后管理', 'A6-06'),
('warning.call.working_days', '2024-07-01', null, 'count', '2', true,
 '“电话核实”级预警的处理时限（工作日，本联社取值）', '《个人贷款管理办法》（2024年第3号令）：贷后管理', 'A6-06'),
('warning.visit.working_days', '2024-07-01', null, 'count', '3', true,
 '“上门核实”级预警的处理时限（工作日，本联社取值）', '《个人贷款管理办法》（2024年第3号令）：贷后管理', 'A6-06'),
('warning.freeze.working_days', '2024-07-01', null, 'count', '1', true,
 '“停止用款”级预警的处理时限（工作日，本联社取值）', '《个人贷款管理办法》（2024年第3号令）：贷后管理', 'A6-06'),
('warning.bureau_days', '2024-07-01', null, 'count', '30', true,
 '贷后征信查询的最短间隔（天，本联社取值）', '《征信业管理条例》；《个人贷款管理办法》（2024年第3号令）：贷后管理', 'A6-06'),
('warning.quiet_days', '2024-07-01', null, 'count', '14', true,
 '同样的信号解除后不再提示的天数（本联社取值）', '《个人贷款管理办法》（2024年第3号令）：贷后管理', 'A6-06');
