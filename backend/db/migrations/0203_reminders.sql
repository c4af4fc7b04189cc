-- 催收提醒: a reminder the plan names is a contact too; it is told by one notice, whose key it carries (A6-07, N17).
alter table post_loan.contacts add column notice_key text;
create unique index on post_loan.contacts (institution_id, notice_key) where notice_key is not null and held = '{}';

insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('contact.messages_per_day', '2025-02-28', null, 'count', '1', true,
 '催收短信、消息提醒每人每天的次数上限（本系统取值）', 'GB/T 45251-2025', 'D5-02');
