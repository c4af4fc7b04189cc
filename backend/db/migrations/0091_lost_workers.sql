-- How many workers died while they delivered this effect: the queue counts no crashes (trust §1, findings).
alter table outbox.effects add column lost integer not null default 0;
-- The alarm looks for dead letters every minute.
create index effects_dead on outbox.effects (institution_id, kind) where status = 'dead';
