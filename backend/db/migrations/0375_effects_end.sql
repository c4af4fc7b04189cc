-- No page ever stopped the measuring of an effect, and nobody needs it to: without it the version is not approved, and
-- that of a draft whose place another took is left by itself.
alter table strategies.effects drop column cancelled_at;
