-- 删除信息: who asks to be forgotten before the promised time is over. One person checks who asks and that the law lets
-- us, another agrees, the customer is told, and only then nothing names them any more (D3-06, 个人信息保护法 第四十七条).
create table customers.erasure_requests (
    institution_id text not null,
    id uuid not null,
    customer_id uuid not null,
    ticket_no text not null,
    asked_by text not null,
    asked_at timestamptz not null,
    checked_by text,
    checked_at timestamptz,
    agreed boolean,
    done_at timestamptz,
    primary key (institution_id, id),
    foreign key (institution_id, customer_id) references customers.people,
    check (num_nonnulls(checked_by, checked_at, agreed) in (0, 3)),
    check (agreed is not true or checked_by <> asked_by),
    check (done_at is null or agreed)
);
create unique index one_erasure_request on customers.erasure_requests (institution_id, ticket_no)
    where agreed is not false;
create index erasure_requests_due on customers.erasure_requests (checked_at) where agreed and done_at is null;
select xd.protect('customers.erasure_requests');
select xd.sign('customers.erasure_requests', 'who', 'asked_by', 'checked_by');
