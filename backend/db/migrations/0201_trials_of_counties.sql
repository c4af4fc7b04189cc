-- Head office may try on the stored decisions of some counties only; an empty list means all of them.
alter table trials.runs add column institutions text[] not null default '{}';
