-- name: add(institution_id, id, product_code, stage, content, content_hash, document_hash, base_id, maker, authors, reason, note, now)$
-- A new version, a draft; its number follows the last one of the same strategy. The first move is written with it.
with made as (
    insert into strategies.versions (institution_id, id, product_code, stage, number, content, content_hash,
        document_hash, base_id, maker, authors, reason, note, made_at)
    select :institution_id, :id, :product_code, :stage, coalesce(max(number), 0) + 1, :content, :content_hash,
        :document_hash, :base_id, :maker, :authors::text[], :reason, :note, :now
    from strategies.versions
    where institution_id = :institution_id and product_code = :product_code and stage = :stage
    returning institution_id, id
)
insert into strategies.moves (institution_id, version_id, seq, from_status, to_status, who, why, at)
select institution_id, id, 1, null, 'draft', :maker, :reason, :now from made
returning version_id;

-- name: get(institution_id, id)^
-- A version of the union or of this institution.
select * from strategies.versions where institution_id in ('*', :institution_id) and id = :id;

-- name: numbers(institution_id, ids)
-- What some versions are called by.
select id, stage, number from strategies.versions
where institution_id in ('*', :institution_id) and id = any(:ids::uuid[]);

-- name: of_documents(institution_id, hashes)
-- Which versions of the union and of one's own county a decision's documents are; after a roll back several have the
-- same, and the newest speaks for them.
select distinct on (institution_id, stage, document_hash) institution_id, id, stage, number, document_hash
from strategies.versions
where institution_id in ('*', :institution_id) and document_hash = any(:hashes::text[])
    and status in ('live', 'retired')
order by institution_id, stage, document_hash, number desc;

-- name: any_of(id)^
-- A version, whoever's it is.
-- scope: all institutions, because head office may read every county's overlay; row-level security keeps others out.
select * from strategies.versions where id = :id;

-- name: owner_of(id)$
-- Whose version it is: head office reads it as the county does.
-- scope: all institutions, because head office may read every county's overlay; row-level security keeps others out.
select institution_id from strategies.versions where id = :id;

-- name: of_counties(product_code, stage)
-- What counties add to a strategy: live ones, and those approved for a day to come. No customer data.
-- scope: all institutions, because head office looks after all of them; row-level security keeps others out.
select * from strategies.versions
where institution_id <> '*' and product_code = :product_code and stage = :stage and status in ('live', 'approved')
order by institution_id, status;

-- name: saves(institution_id, id)
-- A version and the drafts it came from, one after the other, with what their writers said; at most a hundred.
with recursive way as (
    select base_id, maker, note, made_at, 1 as step from strategies.versions
    where institution_id in ('*', :institution_id) and id = :id
    union all
    select v.base_id, v.maker, v.note, v.made_at, way.step + 1 from way join strategies.versions v on v.id = way.base_id
    where v.institution_id in ('*', :institution_id) and v.status = 'superseded' and way.step < 100
)
select note, maker, made_at from way where note <> '' order by step;

-- name: lock(institution_id, id)^
-- The same, held to the end of the transaction: two people act one after the other.
select * from strategies.versions where institution_id = :institution_id and id = :id for update;

-- name: move(institution_id, id, from_status, to_status, who, why, checker, effective_from, effective_until, now)$
-- Compare and set, and the move beside it. Dates and checker are written when given, else they stay.
with moved as (
    update strategies.versions set status = :to_status, checker = coalesce(:checker, checker),
        effective_from = coalesce(:effective_from::timestamptz, effective_from),
        effective_until = coalesce(:effective_until::timestamptz, effective_until)
    where institution_id = :institution_id and id = :id and status = :from_status
    returning institution_id, id
)
insert into strategies.moves (institution_id, version_id, seq, from_status, to_status, who, why, at)
select institution_id, id,
    (select max(m.seq) + 1 from strategies.moves m where m.institution_id = :institution_id and m.version_id = :id),
    :from_status, :to_status, :who, :why, :now
from moved
returning version_id;

-- name: submit(institution_id, id, now)!
-- A checked version is put before a second person.
update strategies.versions set submitted_at = :now
where institution_id = :institution_id and id = :id and status = 'checked' and submitted_at is null;

-- name: history(institution_id, product_code, stage)
-- Every version of one strategy, newest first.
select * from strategies.versions
where institution_id = :institution_id and product_code = :product_code and stage = :stage order by number desc;

-- name: in_status(institution_id, statuses)
-- Versions of the union and of this institution in some of the states, for lists and inboxes.
select * from strategies.versions where institution_id in ('*', :institution_id) and status = any(:statuses::text[])
order by institution_id, product_code, stage, number desc;

-- name: live(institution_id, product_code, stage)^
-- What is live of a layer: the product's own version, else the one of all products.
select * from strategies.versions
where institution_id = :institution_id and product_code in ('*', :product_code) and stage = :stage
    and status = 'live'
order by product_code = '*' limit 1;

-- name: last_retired(institution_id, product_code, stage, now)^
-- The version that was live before the one that is, for 退回; one whose time is over was approved for no longer.
select v.* from strategies.versions v
join strategies.moves m on m.institution_id = v.institution_id and m.version_id = v.id
    and m.to_status = 'retired'
where v.institution_id = :institution_id and v.product_code = :product_code and v.stage = :stage
    and v.status = 'retired' and (v.effective_until is null or v.effective_until > :now)
order by m.at desc, v.number desc limit 1;

-- name: replaced(institution_id, product_code, stage, id)^
-- What was live until the moment this version last went live: what it changed is told against it.
select v.* from strategies.versions v
join strategies.moves m on m.institution_id = v.institution_id and m.version_id = v.id and m.to_status = 'retired'
where v.institution_id = :institution_id and v.product_code = :product_code and v.stage = :stage and v.id <> :id
    and m.at = (select max(l.at) from strategies.moves l
        where l.institution_id = :institution_id and l.version_id = :id and l.to_status = 'live')
order by v.number desc limit 1;

-- name: stood_before(institution_id, product_code, stage, id)^
-- What this version took the place of when it first went live, if that is the last that happened to it.
select v.* from strategies.versions v
join strategies.moves m on m.institution_id = v.institution_id and m.version_id = v.id and m.to_status = 'retired'
where v.institution_id = :institution_id and v.product_code = :product_code and v.stage = :stage and v.id <> :id
    and v.status = 'retired'
    and m.at = (select max(l.at) from strategies.moves l where l.institution_id = :institution_id
        and l.version_id = :id and l.from_status = 'approved' and l.to_status = 'live')
    and m.seq = (select max(l.seq) from strategies.moves l where l.institution_id = v.institution_id
        and l.version_id = v.id)
order by v.number desc limit 1;

-- name: not_returned(since)
-- Versions whose time was over since then while what stood before them did not pass its checks any more, and nothing is
-- in their place: their county is told. No customer data.
-- scope: all institutions, because head office looks at every county's; row-level security keeps a county to its own.
select v.id, m.who, m.why, m.at from strategies.versions v
join strategies.moves m on m.institution_id = v.institution_id and m.version_id = v.id and m.to_status = 'retired'
where v.status = 'retired' and v.effective_until <= m.at and m.who like 'system:%' and m.at >= :since
    and exists (
        select from strategies.moves l
        join strategies.moves b on b.institution_id = l.institution_id and b.version_id <> l.version_id and b.at = l.at
            and b.to_status = 'retired'
        join strategies.versions w on w.institution_id = b.institution_id and w.id = b.version_id
            and w.product_code = v.product_code and w.stage = v.stage and w.status = 'retired'
        where l.institution_id = v.institution_id and l.version_id = v.id and l.from_status = 'approved'
            and l.to_status = 'live')
    and not exists (
        select from strategies.versions n where n.institution_id = v.institution_id
        and n.product_code = v.product_code and n.stage = v.stage and n.status = 'live')
order by m.at desc limit 50;

-- name: brought_back(since)
-- Live versions somebody brought back alone since then, with why: their colleagues look at it. No customer data.
-- scope: all institutions, because head office looks at every county's; row-level security keeps a county to its own.
select v.id, m.who, m.why, m.at from strategies.versions v
join strategies.moves m on m.institution_id = v.institution_id and m.version_id = v.id
where v.status = 'live' and m.from_status = 'retired' and m.to_status = 'live' and m.at >= :since
order by m.at desc limit 50;

-- name: overtaken(institution_id, id)$
-- Whether something newer overtook a draft: SQL says it, for it takes no approval of one (0410).
select strategies.overtaken(:institution_id, :id);

-- name: coming(institution_id, product_code, stage, id)
-- What two people agreed on for a day that is still to come: it then takes the place of whatever decides, and of what was
-- changed meanwhile with it.
select * from strategies.versions
where institution_id = :institution_id and product_code = :product_code and stage = :stage and id <> :id
    and status = 'approved'
order by effective_from, number;

-- name: due(status, now)
-- Approved versions whose day has come, or live ones whose time is over: each kind by itself, so that many of the one
-- that cannot move keep none of the other waiting.
-- scope: all institutions, because the clock serves them all; each is then moved in its own transaction.
select institution_id, id from strategies.versions
where status = :status and case status when 'approved' then effective_from when 'live' then effective_until end <= :now
order by effective_from, number limit 100;

-- name: moves(institution_id, version_id)
-- The life of one version.
select from_status, to_status, who, why, at from strategies.moves
where institution_id in ('*', :institution_id) and version_id = :version_id order by seq;

-- name: add_check(institution_id, id, version_id, content_hash, failures, report, run_by, now)!
-- One run of the checks over exactly this content.
insert into strategies.check_runs (institution_id, id, version_id, content_hash, failures, report, run_by, run_at)
values (:institution_id, :id, :version_id, :content_hash, :failures, :report, :run_by, :now);

-- name: last_check(institution_id, version_id)^
-- The newest run of the checks over a version.
select id, version_id, content_hash, failures, report, run_by, run_at from strategies.check_runs
where institution_id in ('*', :institution_id) and version_id = :version_id order by run_at desc, id desc limit 1;

-- name: add_approval(institution_id, id, version_id, content_hash, maker, checker, verdict, reason, check_run_id, failures, now)!
-- The second person's word; SQL takes an approval only with a run of this very content without a failure.
insert into strategies.approvals (institution_id, id, version_id, content_hash, maker, checker, verdict, reason,
    check_run_id, failures, at)
values (:institution_id, :id, :version_id, :content_hash, :maker, :checker, :verdict, :reason, :check_run_id,
    :failures, :now);

-- name: add_scenario(institution_id, id, product_code, stage, name, body, made_by, now)$
-- A case with what must come of it; nothing when the name is taken.
insert into strategies.scenarios (institution_id, id, product_code, stage, name, body, made_by, made_at)
values (:institution_id, :id, :product_code, :stage, :name, :body, :made_by, :now)
on conflict (institution_id, product_code, name) where retired_at is null do nothing
returning id;

-- name: ask_scenario_stop(institution_id, id, who, why, now)!
-- One person's wish that a scenario be run no more; the first one stands.
update strategies.scenarios set stop_asked_by = :who, stop_why = :why, stop_asked_at = :now
where institution_id = :institution_id and id = :id and retired_at is null and stop_asked_by is null;

-- name: stop_scenario(institution_id, id, who, now)!
-- Another person's yes; the row is kept, because old check runs name it.
update strategies.scenarios set retired_at = :now, retired_by = :who
where institution_id = :institution_id and id = :id and retired_at is null and stop_asked_by <> :who;

-- name: keep_scenario(institution_id, id)!
-- The wish is refused, or taken back: the scenario goes on.
update strategies.scenarios set stop_asked_by = null, stop_why = null, stop_asked_at = null
where institution_id = :institution_id and id = :id and retired_at is null and stop_asked_by is not null;

-- name: stops_asked(institution_id, who)
-- Wishes that wait for a second person other than this one, by the page they stand on.
select product_code, stage, count(*) as waiting from strategies.scenarios
where institution_id = :institution_id and retired_at is null and stop_asked_by <> :who
group by product_code, stage order by product_code, stage;

-- name: stopped_scenarios(institution_id, product_code, stage, most)
-- Those that are run no more, the newest first.
select id, product_code, stage, name, body, made_by, made_at, stop_asked_by, stop_why, retired_by, retired_at
from strategies.scenarios
where institution_id = :institution_id and product_code in ('*', :product_code) and stage = :stage
    and retired_at is not null
order by retired_at desc, id desc limit :most;

-- name: scenarios(institution_id, product_code, stage)
-- The scenarios a strategy of a product must meet: of the product and of all products, of the decision ('') or a moment.
select id, product_code, stage, name, body, made_by, made_at, stop_asked_by, stop_why, retired_by, retired_at
from strategies.scenarios
where institution_id = :institution_id and product_code in ('*', :product_code) and stage = :stage
    and retired_at is null
order by made_at, id;

-- name: add_effect(institution_id, id, version_id, content_hash, cases_total, figures, asked_by, now)!
-- A trial on past cases begins.
insert into strategies.effects (institution_id, id, version_id, content_hash, cases_total, figures, asked_by,
    started_at)
values (:institution_id, :id, :version_id, :content_hash, :cases_total, :figures, :asked_by, :now);

-- name: advance_effect(institution_id, id, cases_done, figures, finished_at)!
-- How far a trial has come; nothing once it is finished.
update strategies.effects set cases_done = :cases_done, figures = :figures, finished_at = :finished_at::timestamptz
where institution_id = :institution_id and id = :id and finished_at is null;

-- name: effect(institution_id, id)^
-- One trial on past cases.
select * from strategies.effects where institution_id in ('*', :institution_id) and id = :id;

-- name: last_effect(institution_id, version_id)^
-- The newest trial of a version on past cases.
select * from strategies.effects where institution_id in ('*', :institution_id) and version_id = :version_id
order by started_at desc, id desc limit 1;

-- name: asked_to_stop(institution_id, id)$
-- Who wishes that a scenario be run no more, if anybody.
select stop_asked_by from strategies.scenarios
where institution_id = :institution_id and id = :id and retired_at is null;
