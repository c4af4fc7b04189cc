-- name: take(institution_id)!
-- From here to the end of the transaction nobody else writes to this institution's graph.
select relations.take(:institution_id);

-- name: sight(institution_id, application_id, customer_id, kinds, keys, edge_kinds, edge_keys, roles, sources, now)!
-- What came up, once per case and key, and the edges one after the other with whatever hangs together by each.
select relations.sight(:institution_id, :application_id::uuid, :customer_id::uuid, :kinds::text[], :keys::bytea[],
                       :edge_kinds::text[], :edge_keys::bytea[], :roles::text[], :sources::text[], :now);

-- name: velocity(institution_id, application_id)
-- Counted back from the submission over what was committed before it: a replay of the case counts the same. The
-- newest 1,000 of a key are enough to tell, and a network, which a whole town may share, is only looked at over a day.
-- Summed up by customer first, who counts in every window that reaches back to the last time; a case stands once under
-- a key.
select m.kind,
    count(*) filter (where c.last_at >= m.at - interval '24 hours') as customers_24h,
    count(*) filter (where c.last_at >= m.at - interval '30 days') as customers_30d,
    count(*) as customers_90d,
    sum(c.applications_24h)::bigint as applications_24h,
    sum(c.applications_30d)::bigint as applications_30d,
    sum(c.applications_90d)::bigint as applications_90d
from relations.sightings m
cross join lateral (
    select s.customer_id, max(s.at) as last_at,
        count(*) filter (where s.at >= m.at - interval '24 hours') as applications_24h,
        count(*) filter (where s.at >= m.at - interval '30 days') as applications_30d,
        count(*) as applications_90d
    from (
        select o.customer_id, o.at from relations.sightings o
        where o.institution_id = m.institution_id and o.kind = m.kind and o.key = m.key and o.seq <= m.seq
          and o.at >= m.at - case m.kind when 'network' then interval '24 hours' else interval '90 days' end
        order by o.at desc limit 1000
    ) s
    group by s.customer_id
) c
where m.institution_id = :institution_id and m.application_id = :application_id
group by m.kind, m.key;

-- name: connect(institution_id, customer_id, kind, key, role, source, application_id, now)!
-- One edge, and whatever hangs together or falls apart by it.
select relations.connect(:institution_id, :customer_id, :kind, :key, :role, :source, :application_id, :now);

-- name: kinds()
-- What can be shared, in the order people read it.
select kind, label, hub_above, connects from relations.kinds order by position;

-- name: patterns()
-- What is worth a look.
select code, label, severity, least, days from relations.patterns order by position;

-- name: neighbours(institution_id, customer_id, most)
-- Where the customer stands, who hangs together with them (a home counts once, more than 1,000 customers are not told
-- apart any more), and everything the customer uses, each with the newest others on it. A key that is allowed is shown
-- without others. Somebody who shared nothing yet has no row.
select me.household, ring.customers as ring_customers, ring.households as ring_households,
       e.kind, k.label, e.key, e.role, e.first_at, e.last_at, n.customers, n.customers > k.hub_above as hub,
       n.allowed, o.customer_id as other_id, o.role as other_role, o.first_at as other_first_at,
       o.application_id as other_application_id, m.household as other_household
from relations.members me
cross join lateral (
    select count(*) as customers, count(distinct coalesce(encode(h.household, 'hex'), h.customer_id::text)) as households
    from (
        select x.customer_id, x.household from relations.members x
        where x.institution_id = me.institution_id and x.component = me.component limit 1000
    ) h
) ring
left join (
    relations.edges e
    join relations.nodes n on n.institution_id = e.institution_id and n.kind = e.kind and n.key = e.key
    join relations.kinds k on k.kind = e.kind
) on e.institution_id = me.institution_id and e.customer_id = me.customer_id
left join lateral (
    select x.customer_id, x.role, x.first_at, x.application_id from relations.edges x
    where x.institution_id = e.institution_id and x.kind = e.kind and x.key = e.key
      and x.customer_id <> e.customer_id and not n.allowed
    order by x.first_at desc limit :most
) o on true
left join relations.members m on m.institution_id = e.institution_id and m.customer_id = o.customer_id
where me.institution_id = :institution_id and me.customer_id = :customer_id
order by k.position, e.first_at, e.key, o.first_at desc, o.customer_id;

-- name: guaranteed_back(institution_id, customer_id)$
-- Who guarantees whom from the customer on, six steps at most, until it comes back to the customer.
with recursive walk(customer_id, path) as (
    select :customer_id::uuid, array[]::uuid[]
    union all
    select o.customer_id, w.path || o.customer_id
    from walk w
    join relations.edges e on e.institution_id = :institution_id and e.customer_id = w.customer_id
        and e.kind = 'guarantor' and e.role = 'used'
    join relations.edges o on o.institution_id = e.institution_id and o.kind = e.kind and o.key = e.key
        and o.role = 'own' and o.customer_id <> e.customer_id
    where cardinality(w.path) < 6 and not o.customer_id = any(w.path)
      and (cardinality(w.path) = 0 or w.customer_id <> :customer_id)
)
select trim_array(path, 1) from walk
where customer_id = :customer_id and cardinality(path) > 0
order by cardinality(path), path limit 1;

-- name: elsewhere(institution_id, kinds, keys)
-- How many customers of how many other institutions share a key: figures, nobody's name (A1-02).
select kind, key, institutions, customers
from relations.elsewhere(:kinds::text[], :keys::bytea[], :institution_id);

-- name: listed_around(institution_id, customer_id, application_id, kinds, keys, today)
-- As `listed`, also for all the customer was ever connected to and all that came up in the case.
with wanted as (
    select kind, key from unnest(:kinds::text[], :keys::bytea[]) as given(kind, key)
    union
    select kind, key from relations.edges where institution_id = :institution_id and customer_id = :customer_id
    union
    select kind, key from relations.sightings
    where institution_id = :institution_id and application_id = cast(:application_id as uuid)
)
select l.list, l.kind, l.institution_id = '0000' as union_wide, l.id
from wanted
join relations.list_entries l on l.kind = wanted.kind and l.key = wanted.key
where l.institution_id in (:institution_id, '0000') and l.status = 'active' and l.expires_on >= :today
order by l.list, l.kind, l.id;

-- name: listed(institution_id, kinds, keys, today)
-- Standing entries of the institution and of the whole union for any of these keys.
select l.list, l.kind, l.institution_id = '0000' as union_wide, l.id
from unnest(:kinds::text[], :keys::bytea[]) as wanted(kind, key)
join relations.list_entries l on l.kind = wanted.kind and l.key = wanted.key
where l.institution_id in (:institution_id, '0000') and l.status = 'active' and l.expires_on >= :today
order by l.list, l.kind, l.id;

-- name: listed_many(institution_id, customers, applications, owners, kinds, keys, today)
-- As `listed`, of many customers with a case each, in one question: by the given keys, and by all they were seen with.
with cases as (
    select * from unnest(:customers::uuid[], :applications::uuid[]) as c(customer_id, application_id)
), wanted as (
    select * from unnest(:owners::uuid[], :kinds::text[], :keys::bytea[]) as w(customer_id, kind, key)
    union
    select e.customer_id, e.kind, e.key from relations.edges e join cases c on c.customer_id = e.customer_id
    where e.institution_id = :institution_id
    union
    select c.customer_id, s.kind, s.key
    from cases c join relations.sightings s on s.institution_id = :institution_id and s.application_id = c.application_id
)
select w.customer_id, l.list, l.kind, l.institution_id = '0000' as union_wide, l.id
from wanted w
join relations.list_entries l on l.kind = w.kind and l.key = w.key
where l.institution_id in (:institution_id, '0000') and l.status = 'active' and l.expires_on >= :today
order by w.customer_id, l.list, l.kind, l.id;

-- name: lapse(institution_id, list, kind, key, ended_by, now, today)
-- What counted until its last day makes room for a new line.
update relations.list_entries set status = 'ended', ended_by = :ended_by, ended_at = :now
where institution_id = :institution_id and list = :list and kind = :kind and key = :key and status = 'active'
  and expires_on < :today
returning id;

-- name: propose(institution_id, id, list, kind, key, shown, reason, source, made_by, now, expires_on)$
-- A line somebody else must look at before it counts; null when the list has it already.
insert into relations.list_entries
    (institution_id, id, list, kind, key, shown, reason, source, made_by, made_at, expires_on)
values (:institution_id, :id, :list, :kind, :key, :shown, :reason, :source, :made_by, :now, :expires_on)
on conflict do nothing
returning id;

-- name: check_entry(institution_id, id, status, checked_by, now)$
-- The second person's word, once; the table refuses the first person's.
update relations.list_entries set status = :status, checked_by = :checked_by, checked_at = :now
where institution_id = :institution_id and id = :id and status = 'proposed'
returning id;

-- name: ask_end(institution_id, id, asked_by, why, now)$
-- One person wants it taken off; it counts until another agrees.
update relations.list_entries set end_asked_by = :asked_by, end_why = :why, end_asked_at = :now
where institution_id = :institution_id and id = :id and status = 'active' and end_asked_by is null
returning id;

-- name: keep_entry(institution_id, id)$
-- It stays: the second person says no, or the first takes it back.
update relations.list_entries set end_asked_by = null, end_why = null, end_asked_at = null
where institution_id = :institution_id and id = :id and status = 'active' and end_asked_by is not null
returning id;

-- name: end_entry(institution_id, id, ended_by, now)$
-- Taken off the list; the line stays as a record. But for what is allowed the table wants it asked by another person.
update relations.list_entries set status = 'ended', ended_by = :ended_by, ended_at = :now
where institution_id = :institution_id and id = :id and status = 'active'
returning id;

-- name: entry(institution_id, id)^
-- One line, still sealed.
select institution_id, id, list, kind, shown, reason, source, status, made_by, made_at, checked_by, checked_at,
       expires_on, ended_at, end_asked_by, end_asked_at, end_why
from relations.list_entries where institution_id = :institution_id and id = :id;

-- name: waiting_entries(institutions, who)
-- How many wait in each institution for a second person other than this one.
-- scope: all institutions, because head office may be the second person of every county's; a county asks for its own id
-- alone, and row-level security keeps the others out.
select institution_id, count(*) as waiting from relations.list_entries
where institution_id = any(:institutions::text[])
  and (status = 'proposed' and made_by <> :who or status = 'active' and end_asked_by <> :who)
group by institution_id;

-- name: entries(institution_id)
-- The institution's own lines, what waits for a second person first.
select institution_id, id, list, kind, shown, reason, source, status, made_by, made_at, checked_by, checked_at,
       expires_on, ended_at, end_asked_by, end_asked_at, end_why
from relations.list_entries where institution_id = :institution_id
order by status <> 'proposed' and (status <> 'active' or end_asked_by is null), status <> 'active', made_at desc
limit 200;

-- name: allow(institution_id, kind, key, allowed)!
-- A key that joins nobody any more, or does again.
update relations.nodes set allowed = :allowed
where institution_id = :institution_id and kind = :kind and key = :key and allowed <> :allowed;

-- name: reconsider(institution_id, kind, key)!
-- Everybody on a changed key, and all who hang on them.
select relations.reconsider(:institution_id, :kind, :key);

-- name: age(institution_id, before, most)$
-- Edges last seen before a moment go; what hung together by them falls apart.
select relations.age(:institution_id, :before, :most);

-- name: age_sightings(institution_id, before)!
-- Counted no more, so not kept any more.
delete from relations.sightings where institution_id = :institution_id and at < :before;

-- name: look_members(institution_id)$
-- Night, step 1: everybody with the state that was kept.
select relations.look_members(:institution_id);

-- name: look_nodes(institution_id)$
-- Night, step 2: who shares what, from the edges alone.
select relations.look_nodes(:institution_id);

-- name: look_spread()$
-- Night, step 3, until nothing moves.
select relations.look_spread();

-- name: look_homes(institution_id)$
-- Night, step 4: everybody's component and home, beside what was kept.
select relations.look_homes(:institution_id);

-- name: look_repair(institution_id)$
-- Night, step 5: what still differs under the lock is put right and counted.
select relations.look_repair(:institution_id);

-- name: found_shared(institution_id, code, kinds, least, since, owned)
-- Keys that enough households share since a moment and nobody has allowed; `owned`: one of them owns it.
select e.kind, e.key, (array_agg(e.customer_id order by e.first_at desc, e.customer_id))[1] as customer_id,
       count(*) as customers, min(e.first_at) as since,
       count(distinct coalesce(encode(m.household, 'hex'), m.customer_id::text)) as households
from relations.nodes n
join relations.edges e on e.institution_id = n.institution_id and e.kind = n.kind and e.key = n.key
    and e.first_at >= coalesce(:since::timestamptz, '-infinity')
join relations.members m on m.institution_id = e.institution_id and m.customer_id = e.customer_id
where n.institution_id = :institution_id and n.kind = any(:kinds::text[]) and n.customers >= :least and not n.allowed
  and not exists (
    -- Answered already, and not grown since.
    select from relations.findings f
    where f.institution_id = n.institution_id and f.code = :code and f.kind = n.kind and f.key = n.key
      and (f.status in ('open', 'in_hand') or f.customers >= n.customers))
group by e.kind, e.key
having count(distinct coalesce(encode(m.household, 'hex'), m.customer_id::text)) >= :least
   and (not :owned or bool_or(e.role = 'own') and bool_or(e.role = 'used'));

-- name: found_impersonations(institution_id, least)
-- Two households that meet on two kinds of what is a person's own, told by the younger of the two keys.
with own as materialized (
    select n.kind, n.key, e.customer_id, e.first_at,
           coalesce(encode(m.household, 'hex'), m.customer_id::text) as home
    from relations.nodes n
    join relations.kinds k on k.kind = n.kind
    join relations.edges e on e.institution_id = n.institution_id and e.kind = n.kind and e.key = n.key
    join relations.members m on m.institution_id = e.institution_id and m.customer_id = e.customer_id
    where n.institution_id = :institution_id and n.customers between 2 and k.hub_above and not n.allowed
      and n.kind in ('phone', 'openid', 'device')
)
select (array_agg(a.kind order by greatest(a.first_at, b.first_at) desc, a.key))[1] as kind,
       (array_agg(a.key order by greatest(a.first_at, b.first_at) desc, a.key))[1] as key,
       (array_agg(a.customer_id order by greatest(a.first_at, b.first_at) desc, a.key))[1] as customer_id,
       count(distinct a.customer_id) + count(distinct b.customer_id) as customers, 2::bigint as households,
       max(greatest(a.first_at, b.first_at)) as since
from own a join own b on b.kind = a.kind and b.key = a.key and b.home > a.home
group by a.home, b.home having count(distinct a.kind) >= :least;

-- name: found_rings(institution_id, least)
-- Components of many households, each told by the key that most of its people share.
with ring as materialized (
    select m.component, count(*) as customers,
           count(distinct coalesce(encode(m.household, 'hex'), m.customer_id::text)) as households
    from relations.members m where m.institution_id = :institution_id
    group by m.component having count(*) >= :least
)
select distinct on (r.component) e.kind, e.key, r.component as customer_id, r.customers, r.households,
       min(e.first_at) over (partition by r.component) as since
from ring r
join relations.members m on m.institution_id = :institution_id and m.component = r.component
join relations.edges e on e.institution_id = m.institution_id and e.customer_id = m.customer_id
join relations.nodes n on n.institution_id = e.institution_id and n.kind = e.kind and n.key = e.key
where r.households >= :least and relations.joins(n)
order by r.component, n.customers desc, e.kind, e.key;

-- name: found_guarantees(institution_id)
-- People who guarantee each other back to themselves, six steps at most; each circle once, by its smallest customer.
with recursive pairs as materialized (
    select e.customer_id as borrower, o.customer_id as guarantor, e.first_at
    from relations.edges e
    join relations.edges o on o.institution_id = e.institution_id and o.kind = e.kind and o.key = e.key
        and o.role = 'own' and o.customer_id <> e.customer_id
    where e.institution_id = :institution_id and e.kind = 'guarantor' and e.role = 'used'
), walk(start, customer_id, path, since) as (
    select borrower, guarantor, array[guarantor], first_at from pairs
    union all
    select w.start, p.guarantor, w.path || p.guarantor, least(w.since, p.first_at)
    from walk w join pairs p on p.borrower = w.customer_id
    where cardinality(w.path) < 6 and w.customer_id <> w.start and not p.guarantor = any(w.path)
)
select distinct on (w.start) e.kind, e.key, w.start as customer_id, cardinality(w.path)::bigint as customers,
       cardinality(w.path)::bigint as households, w.since
from walk w
join relations.edges e on e.institution_id = :institution_id and e.customer_id = w.start and e.kind = 'guarantor'
    and e.role = 'own'
where w.customer_id = w.start and w.start = (select min(x::text)::uuid from unnest(w.path) x)
order by w.start, cardinality(w.path), e.key;

-- name: raise_finding(institution_id, id, code, kind, key, customer_id, customers, households, since, now)$
-- For staff to look at; null while one of the same is open, or was answered and has not grown since.
insert into relations.findings
    (institution_id, id, code, kind, key, customer_id, customers, households, since, raised_at)
select :institution_id, :id, :code, :kind, :key, :customer_id, :customers, :households, :since, :now
where not exists (
    select from relations.findings f
    where f.institution_id = :institution_id and f.code = :code and f.kind = :kind and f.key = :key
      and (f.status in ('open', 'in_hand') or f.customers >= :customers))
on conflict do nothing
returning id;

-- name: findings_waiting(institution_id, me)$
-- How many wait for this person: those nobody has taken, and their own.
select count(*) from relations.findings
where institution_id = :institution_id and (status = 'open' or (status = 'in_hand' and owner = :me));

-- name: findings(institution_id, me, most)
-- What this person has in hand first, then what nobody has taken, what others look into, and the answered.
select f.id, f.code, p.label, f.kind, k.label as kind_label, f.customer_id, f.customers, f.households, f.since,
       f.status, f.raised_at, f.owner, f.said, f.answered_at
from relations.findings f
join relations.patterns p on p.code = f.code
join relations.kinds k on k.kind = f.kind
where f.institution_id = :institution_id
order by f.status = 'in_hand' and f.owner = :me desc, f.status <> 'open', f.status <> 'in_hand', p.position,
    f.raised_at desc, f.id
limit :most;

-- name: finding(institution_id, id)^
-- One finding.
select f.id, f.code, p.label, f.kind, k.label as kind_label, f.customer_id, f.customers, f.households, f.since,
       f.status, f.raised_at, f.owner, f.said, f.answered_at
from relations.findings f
join relations.patterns p on p.code = f.code
join relations.kinds k on k.kind = f.kind
where f.institution_id = :institution_id and f.id = :id;

-- name: own_finding(institution_id, id, owner, now)$
-- From now on it is this person's.
update relations.findings set status = 'in_hand', owner = :owner, owned_at = :now
where institution_id = :institution_id and id = :id and status = 'open'
returning id;

-- name: answer_finding(institution_id, id, status, said, owner, now)$
-- The owner's word: real, or a false alarm.
update relations.findings set status = :status, said = :said, answered_at = :now
where institution_id = :institution_id and id = :id and status = 'in_hand' and owner = :owner
returning id;

-- name: false_alarms(institution_id)
-- How often each pattern was right: what a threshold is judged by.
select p.code, p.label, count(*) filter (where f.status = 'confirmed') as confirmed,
       count(*) filter (where f.status = 'false_alarm') as false_alarms,
       count(*) filter (where f.status in ('open', 'in_hand')) as open
from relations.patterns p
join relations.findings f on f.institution_id = :institution_id and f.code = p.code
group by p.code, p.label, p.position order by p.position;

-- name: record_run(institution_id, run_on, customers, aged, differing, findings, now)!
-- One row per night; run again, the figures add up.
insert into relations.runs as r
values (:institution_id, :run_on, :customers, :aged, :differing, :findings, :now)
on conflict (institution_id, run_on) do update
    set customers = excluded.customers, aged = r.aged + excluded.aged, differing = r.differing + excluded.differing,
        findings = r.findings + excluded.findings, run_at = excluded.run_at;

-- name: runs(institution_id)
-- The last nights.
select run_on, customers, aged, differing, findings from relations.runs
where institution_id = :institution_id order by run_on desc limit 14;

-- name: ran_on(institution_id, run_on)$
-- Whether this night was done already.
select true from relations.runs where institution_id = :institution_id and run_on = :run_on;

-- name: let_go(institution_id, customer_id)!
-- What a person shares counts as seen before all time, so that `age` takes it away with all that hangs together by it.
update relations.edges set last_at = '-infinity'
where institution_id = :institution_id and customer_id = :customer_id;

-- name: forget_sightings(institution_id, customer_id)!
-- Counted no more.
delete from relations.sightings where institution_id = :institution_id and customer_id = :customer_id;

-- name: forget_findings(institution_id, customer_id)!
-- What was found out about a person goes, and by what, where nobody else shares it; that something was looked into,
-- and whether it was so, stays.
update relations.findings f set said = case when f.said is not null then '\x'::bytea end,
    key = case when exists (select from relations.nodes n where n.institution_id = :institution_id
        and n.kind = f.kind and n.key = f.key) then f.key else '\x'::bytea end
where f.institution_id = :institution_id and f.customer_id = :customer_id;

-- name: entries_to_forget(before, before_on, most)
-- Lines that have not counted since before a moment: past their last day, taken off, or never agreed to.
-- scope: all institutions, because one job keeps the promise of all. Ids only.
select institution_id, id from relations.list_entries
where forgotten_at is null and (expires_on < :before_on or ended_at < :before or (status = 'refused' and checked_at < :before))
order by institution_id, id limit :most;

-- name: forget_entry(institution_id, id, before, before_on, who, now)^
-- What names or finds somebody goes; that there was a line, by whom and until when, stays. What waited for a second
-- person or still stood on its last day ends with it.
update relations.list_entries set shown = '\x', reason = '\x', key = '\x', source = '',
    end_why = case when end_why is not null then '\x'::bytea end, forgotten_at = :now,
    checked_by = case when status = 'proposed' then :who::text else checked_by end,
    checked_at = case when status = 'proposed' then :now else checked_at end,
    ended_by = case when status = 'active' then :who::text else ended_by end,
    ended_at = case when status = 'active' then :now else ended_at end,
    status = case status when 'proposed' then 'refused' when 'active' then 'ended' else status end
where institution_id = :institution_id and id = :id and forgotten_at is null
  and (expires_on < :before_on or ended_at < :before or (status = 'refused' and checked_at < :before))
returning list, kind;
