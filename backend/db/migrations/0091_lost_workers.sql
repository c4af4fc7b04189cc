-- How many workers died while they delivered this effect: the queue counts no crashes (trust §1, findings).
alter table outbox.effects add column lost integer not null default 0;
-- The alarm looks for dead letters every minute.
create index effects_dead on outbox.effects (institution_id, kind) where status = 'dead';
-- The report of a worker that stood still while its effect was put back.
insert into xd.lifecycle (name, from_status, to_status) values ('effect', 'waiting', 'delivered');
