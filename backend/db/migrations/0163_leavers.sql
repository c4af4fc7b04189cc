-- 离岗: when somebody's posting ended; from then on `active` is false for good.
alter table identity.staff add column left_at timestamptz;
create index on identity.staff_sessions (institution_id, staff_id);

-- Who brought a case in, where somebody else looks after it by now (管户). Null: the officer of the case still does.
alter table applications.applications add column brought_by uuid;
