-- The auditor's page (issue 2): by person and by kind without walking the chain; times lie in the order of the chain,
-- so a block range index finds them and costs the writers next to nothing.
create index on audit.entries (institution_id, actor, seq);
create index on audit.entries (institution_id, split_part(action, '.', 1), seq);
create index on audit.entries using brin (at);
