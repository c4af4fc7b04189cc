-- What decides knows itself when its time is over (strategies.versions.effective_until): the end holds also where the
-- timetable that takes the row away stands still. What is live today has no end, as no page could set one.
alter table decision.live add until timestamptz;
