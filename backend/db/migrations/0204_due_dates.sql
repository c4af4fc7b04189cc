-- 还款日提醒 (N17): the last day each line with a loan was looked at for instalments that are due soon.
create table post_loan.due_looks (
    institution_id text not null,
    application_id uuid not null,
    looked_on date not null,
    primary key (institution_id, application_id),
    foreign key (institution_id, application_id) references applications.applications
);
select xd.protect('post_loan.due_looks');

-- What a customer does not want to be told of; no row is a yes. Every change is in the audit log.
create table customers.notice_choices (
    institution_id text not null,
    customer_id uuid not null,
    topic text not null check (topic in ('due_date')),
    refused boolean not null,
    changed_at timestamptz not null,
    primary key (institution_id, customer_id, topic),
    foreign key (institution_id, customer_id) references customers.people
);
select xd.protect('customers.notice_choices');
revoke delete on customers.notice_choices from xiaodai_app;

insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('repayment.remind_days_before', '2024-07-01', null, 'count', '3', true,
 '还款日前多少天提醒客户（天，本联社取值）', '《个人贷款管理办法》（2024年第3号令）：贷后管理', 'N17');
