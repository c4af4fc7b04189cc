-- Somebody who is bound to the official account asks what they answer for, also what has been released.
create index on guarantees.guarantees (institution_id, guarantor_id) where guarantor_id is not null;

-- 删除信息: who wants their information erased gets a number and a clock of their own.
alter table channels.tickets drop constraint tickets_kind_check;
alter table channels.tickets add constraint tickets_kind_check check (kind in ('human', 'complaint', 'erasure'));
