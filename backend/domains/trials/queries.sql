-- name: add_run(institution_id, id, kind, stage, strategy, against, county, county_name, institutions, strategy_id, model_id, plan, cases_total, asked_by, now)!
-- A trial that waits for its first step.
insert into trials.runs (institution_id, id, kind, stage, status, strategy, against, county, county_name,
    institutions, strategy_id, model_id, plan, cases_total, asked_by, asked_at)
values (:institution_id, :id, :kind, :stage, 'waiting', :strategy, :against, :county, :county_name,
    :institutions::text[], :strategy_id, :model_id, :plan, :cases_total, :asked_by, :now);

-- name: run(institution_id, id)^
-- One trial without its plan, which is large.
select id, institution_id, kind, stage, status, strategy, against, strategy_id, model_id, county, county_name, institutions, cases_total,
    cases_done, cursor, cancel_asked, pairs, pairs_differing, worst_gap_bp, error, asked_by, asked_at, ended_at
from trials.runs where institution_id = :institution_id and id = :id;

-- name: plan(institution_id, id)$
-- What is tried on what.
select plan from trials.runs where institution_id = :institution_id and id = :id;

-- name: runs(institution_id, strategy_id, model_id, most)
-- The newest trials of an institution, for its pages; of one version or model where one is named.
select id, institution_id, kind, stage, status, strategy, against, strategy_id, model_id, county, county_name, institutions, cases_total,
    cases_done, cursor, cancel_asked, pairs, pairs_differing, worst_gap_bp, error, asked_by, asked_at, ended_at
from trials.runs
where institution_id = :institution_id and (:strategy_id::uuid is null or strategy_id = :strategy_id)
    and (:model_id::uuid is null or model_id = :model_id)
order by asked_at desc, id limit :most;

-- name: lock_room(institution_id)$
-- Who counts the open ones is alone in it until the transaction ends.
select pg_advisory_xact_lock(hashtextextended('trials.runs ' || :institution_id, 0));

-- name: open_runs(institution_id)$
-- How many trials of an institution are not over.
select count(*) from trials.runs where institution_id = :institution_id and status in ('waiting', 'running');

-- name: on_customers_since(institution_id, since)$
-- How many trials on real customers an institution has made, whatever became of them.
select count(*) from trials.runs
where institution_id = :institution_id and kind = 'history' and asked_at >= :since;

-- name: move(institution_id, id, from_status, to_status, error, ended_at)!
-- Compare and set: whoever comes second finds nothing to move.
update trials.runs set status = :to_status, error = :error, ended_at = :ended_at
where institution_id = :institution_id and id = :id and status = :from_status;

-- name: advance(institution_id, id, cursor_from, cursor_to, cases, pairs, differing, gap)$
-- One chunk further, if nobody else has done it: gives back whether somebody asked to stop.
update trials.runs set cursor = :cursor_to, cases_done = cases_done + :cases, pairs = pairs + :pairs,
    pairs_differing = pairs_differing + :differing, worst_gap_bp = greatest(worst_gap_bp, :gap)
where institution_id = :institution_id and id = :id and cursor = :cursor_from and status = 'running'
returning cancel_asked;

-- name: ask_to_stop(institution_id, id)!
-- The step under way stops at its next chunk.
update trials.runs set cancel_asked = true
where institution_id = :institution_id and id = :id and status in ('waiting', 'running');

-- name: add_results(institution_id, run_id, groupings, members, sides, cases, approved, referred, declined, amount_fen, rate_amount, loss_fen, matured, bad, approved_mark, referred_mark, declined_mark)!
-- The sums of a chunk onto those that are there, all rows in one statement.
insert into trials.results as r (institution_id, run_id, grouping_name, member, side, cases, approved, referred,
    declined, amount_fen, rate_amount, loss_fen, matured, bad, approved_mark, referred_mark, declined_mark)
select :institution_id, :run_id, t.*
from unnest(:groupings::text[], :members::text[], :sides::text[], :cases::bigint[], :approved::bigint[],
    :referred::bigint[], :declined::bigint[], :amount_fen::bigint[], :rate_amount::numeric[], :loss_fen::bigint[],
    :matured::bigint[], :bad::bigint[], :approved_mark::bigint[], :referred_mark::bigint[],
    :declined_mark::bigint[]) as t
on conflict (institution_id, run_id, grouping_name, member, side) do update set
    cases = r.cases + excluded.cases, approved = r.approved + excluded.approved,
    referred = r.referred + excluded.referred, declined = r.declined + excluded.declined,
    amount_fen = r.amount_fen + excluded.amount_fen, rate_amount = r.rate_amount + excluded.rate_amount,
    loss_fen = r.loss_fen + excluded.loss_fen, matured = r.matured + excluded.matured, bad = r.bad + excluded.bad,
    approved_mark = r.approved_mark + excluded.approved_mark, referred_mark = r.referred_mark + excluded.referred_mark,
    declined_mark = r.declined_mark + excluded.declined_mark;

-- name: results(institution_id, run_id, grouping)
-- Figures of a trial, by group; a null grouping means all of them.
select grouping_name, member, side, cases, approved, referred, declined, amount_fen, rate_amount, loss_fen, matured,
    bad, approved_mark, referred_mark, declined_mark
from trials.results
where institution_id = :institution_id and run_id = :run_id
    and (:grouping::text is null or grouping_name = :grouping)
order by grouping_name, member, side;

-- name: counties()
-- The practice counties that are loaded, for a choice.
select name, households from practice.counties order by loaded_at;

-- name: county(name)^
-- A practice county by its name (invented people, readable by all).
select county, households from practice.counties where name = :name;

-- name: households(county, numbers)
-- The facts of some households of a practice county, with the names of village and town.
select f.*, v.name as village_name, v.town_name
from practice.facts f join practice.villages v on v.county = f.county and v.village = f.village
where f.county = :county and f.household = any(:numbers::integer[]) order by f.household;

-- name: signals(county, numbers)
-- What monitoring saw of some households of a practice county, their groups, and how it ended.
select s.*, f.town, f.village, f.sex, f.occupation, f.education, f.birth_on, f.defaulted, v.name as village_name,
    v.town_name
from practice.signals s
join practice.facts f on f.county = s.county and f.household = s.household
join practice.villages v on v.county = f.county and v.village = f.village
where s.county = :county and s.household = any(:numbers::integer[]) order by s.household;

-- name: facts_between(county, first, last)
-- The facts of a range of households, for batch scores.
select * from practice.facts where county = :county and household between :first and :last order by household;
