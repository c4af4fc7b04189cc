-- name: human_actions(application_nos)$
-- Acts of staff on a set of applications, to prove that the pure-online road needs none (A7-01).
-- scope: all institutions, because the report is about numbers from any county; it reads a count only.
select count(*) from audit.entries
where subject = any(:application_nos::text[]) and actor like 'staff:%';
