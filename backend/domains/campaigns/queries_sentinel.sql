-- name: signal(institution_id, id, code_id, kind, subject, now)!
-- One case counts once.
insert into campaigns.signals (institution_id, id, code_id, kind, subject, at)
values (:institution_id, :id, :code_id, :kind, :subject, :now)
on conflict do nothing;

-- name: strike(institution_id, code_id, now)^
-- The first pattern that a placement which is not stopped shows too much of within its window. What was before a
-- release was looked at already. People who come and go count once.
select l.pattern, l.most, l.minutes, n.counted
from campaigns.codes c
join campaigns.placement_limits l on l.placement = c.placement
cross join lateral (
    select greatest(:now::timestamptz - l.minutes * interval '1 minute', c.issued_at, c.released_at) as since
) w
cross join lateral (
    select case
        when l.pattern in ('burst', 'copied') then (
            select count(distinct s.visitor) from campaigns.scans s
            where s.institution_id = :institution_id and s.code_id = c.id and s.at > w.since)
        when l.pattern = 'fee' then (
            select count(distinct coalesce(r.teller, r.id::text::bytea)) from campaigns.reports r
            where r.institution_id = :institution_id and r.code_id = c.id and r.kind = 'fee_asked'
              and r.reported_at > w.since)
        else (
            select count(*) from campaigns.signals g
            where g.institution_id = :institution_id and g.code_id = c.id and g.kind = l.pattern and g.at > w.since)
    end as counted
) n
where c.institution_id = :institution_id and c.id = :code_id and c.frozen_at is null and c.revoked_at is null
  and n.counted > l.most
order by l.pattern limit 1;

-- name: add_freeze(institution_id, id, code_id, pattern, counted, most, minutes, now)!
-- Why and with which figures it was stopped.
insert into campaigns.freezes (institution_id, id, code_id, pattern, counted, most, minutes, frozen_at)
values (:institution_id, :id, :code_id, :pattern, :counted, :most, :minutes, :now);

-- name: standing(institution_id)
-- Placements that stand still, the longest first.
select f.code_id, f.pattern, f.counted, f.most, f.minutes, f.frozen_at, c.officer_id, c.placement, c.placement_label
from campaigns.freezes f
join campaigns.codes c on c.institution_id = f.institution_id and c.id = f.code_id
where f.institution_id = :institution_id and f.released_at is null and c.revoked_at is null
order by f.frozen_at;

-- name: release(institution_id, code_id, released_by, reason, now)$
-- Looked into, once. True when this call did it.
with ended as (
    update campaigns.freezes set released_by = :released_by, released_at = :now, reason = :reason
    where institution_id = :institution_id and code_id = :code_id and released_at is null
    returning code_id
)
update campaigns.codes c set frozen_at = null, closed_reason = null, released_at = :now
from ended
where c.institution_id = :institution_id and c.id = ended.code_id and c.revoked_at is null
returning true;
