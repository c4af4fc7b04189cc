-- name: append(institution, at, actor, entries)$
-- One call at the end of a transaction; the chain's head is locked only until the commit that follows.
select audit.append(:institution, :at, :actor, :entries::jsonb);

-- name: entries_of(institution_id, subject, most)
-- What happened to one subject, newest first, for the support desk and the auditor.
select seq, at, actor, action, subject, details
from audit.entries
where institution_id = :institution_id and subject = :subject
order by seq desc
limit :most;

-- name: position(institution_id, action, subject)^
-- The place of one act in the chain, with the chain's end, for a file that is shown elsewhere (N6).
select e.seq, encode(e.hash, 'hex'), e.at, h.seq, encode(h.hash, 'hex')
from audit.entries e
join audit.heads h on h.institution_id = e.institution_id
where e.institution_id = :institution_id and e.action = :action and e.subject = :subject
order by e.seq
limit 1;

-- name: recent(institution_id, before, most)
-- The auditor's page, newest first.
select seq, at, actor, action, subject, details
from audit.entries
where institution_id = :institution_id and seq < :before
order by seq desc
limit :most;

-- name: institutions_with_entries()
-- scope: all institutions, because the verification walks every chain.
select institution_id, seq, hash from audit.heads order by institution_id;

-- name: broken_links(institution_id)
-- Rows whose stored hash is not the hash of the row before and their own content, or that leave a gap.
select seq
from (
    select e.seq, e.hash, e.at, e.actor, e.action, e.subject, e.details,
           lag(e.hash, 1, '\x00'::bytea) over (order by e.seq) as previous,
           row_number() over (order by e.seq) as expected
    from audit.entries e
    where e.institution_id = :institution_id
) chain
where seq <> expected
   or hash <> audit.link(previous, :institution_id, seq, at, actor, action, subject, details)
order by seq
limit 20;

-- name: last_entry(institution_id)^
-- The end of the chain as the rows say, to be held against the head.
select seq, hash from audit.entries where institution_id = :institution_id order by seq desc limit 1;
