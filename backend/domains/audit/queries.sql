-- name: append(entries)$
-- One call, in the round trip of the commit; the chain's head is locked only until then.
-- scope: all institutions, because the function takes the institution, the actor and the moment of the transaction.
select audit.append(:entries::jsonb);

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

-- name: trail(institution_id, before, actor, actor_kind, kind, subjects, since, until, most)
-- The auditor's page, newest first, by the key of the row before; a null filter asks for everything. `sound` says
-- whether a row follows from the one before it: its hash, and that there is one.
select e.seq, e.at, e.actor, e.action, e.subject, e.details,
       e.hash is not distinct from audit.link(case when e.seq = 1 then '\x00'::bytea else p.hash end, e.institution_id,
                                              e.seq, e.at, e.actor, e.action, e.subject, e.details) as sound
from audit.entries e
left join audit.entries p on p.institution_id = e.institution_id and p.seq = e.seq - 1
where e.institution_id = :institution_id and e.seq < :before
  and (cast(:actor as text) is null or e.actor = :actor)
  and (cast(:actor_kind as text) is null or starts_with(e.actor, :actor_kind || ':'))
  and (cast(:kind as text) is null or split_part(e.action, '.', 1) = :kind)
  and (cast(:subjects as text[]) is null or e.subject = any(:subjects))
  and (cast(:since as timestamptz) is null or e.at >= :since)
  and (cast(:until as timestamptz) is null or e.at < :until)
order by e.seq desc
limit :most;

-- name: head(institution_id)^
-- The end of one chain (none: taken away, or nothing was ever written), and the last row there really is, of one moment.
select coalesce(h.seq, 0) as seq, coalesce(h.hash, '\x00') as hash, l.seq as last_seq
from (select max(e.seq) as seq from audit.entries e where e.institution_id = :institution_id) l
left join audit.heads h on h.institution_id = :institution_id
where h.seq is not null or l.seq is not null;

-- name: institutions_with_entries()
-- Also those whose end was taken away.
-- scope: all institutions, because the verification walks every chain.
select institution_id from audit.heads union select distinct institution_id from audit.entries order by 1;

-- name: broken_links(institution_id, after, upto)
-- Rows of one stretch whose hash is not the hash of the row before and their own content, or that have none before.
select e.seq
from audit.entries e
left join audit.entries p on p.institution_id = e.institution_id and p.seq = e.seq - 1
where e.institution_id = :institution_id and e.seq > :after and e.seq <= :upto
  and e.hash is distinct from audit.link(case when e.seq = 1 then '\x00'::bytea else p.hash end, e.institution_id, e.seq,
                                         e.at, e.actor, e.action, e.subject, e.details)
order by e.seq
limit 20;

-- name: entry_hash(institution_id, seq)$
-- To be held against the head; null where the row is gone.
select hash from audit.entries where institution_id = :institution_id and seq = :seq;
