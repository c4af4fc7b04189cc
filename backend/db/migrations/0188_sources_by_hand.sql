-- 人工停问 (N19): head office stops asking a source until a time, with a reason; an answer still on its way does not
-- undo that.
alter table evidence.breakers add column held_until timestamptz;
alter table evidence.breakers add column note text not null default '';
alter table evidence.breakers add column noted_by text not null default '';
