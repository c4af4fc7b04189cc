-- name: add_batch(institution_id, id, purpose, model, model_id, artefact, cases_total, asked_by, now)!
-- A run that waits for its first step.
insert into trials.batches (institution_id, id, purpose, status, model, model_id, artefact, cases_total, asked_by, asked_at)
values (:institution_id, :id, :purpose, 'waiting', :model, :model_id, :artefact, :cases_total, :asked_by, :now);

-- name: batch(institution_id, id)^
-- One run; '*' for head office's reader, which sees every county's.
select id, institution_id, purpose, status, model, model_id, artefact, cases_total, cases_done, scored, parts, cursor,
    turn, error, asked_by, asked_at, ended_at
from trials.batches where (:institution_id = '*' or institution_id = :institution_id) and id = :id;

-- name: batches(institution_id, most)
-- The newest runs of an institution; '*' for those of all.
select id, institution_id, purpose, status, model, model_id, artefact, cases_total, cases_done, scored, parts, cursor,
    turn, error, asked_by, asked_at, ended_at
from trials.batches where :institution_id = '*' or institution_id = :institution_id
order by asked_at desc, id desc limit :most;

-- name: lock_batch(institution_id, id)$
-- Nobody else moves it before this transaction ends.
select id from trials.batches where institution_id = :institution_id and id = :id for update;

-- name: lock_batch_room(institution_id)$
-- Who counts the open ones is alone in it until the transaction ends.
select pg_advisory_xact_lock(hashtextextended('trials.batches ' || :institution_id, 0));

-- name: open_batches(institution_id)$
-- Runs the worker has not come to the end of.
select count(*) from trials.batches
where institution_id = :institution_id and status in ('waiting', 'running');

-- name: move_batch(institution_id, id, turn, from_status, to_status, error, ended_at)!
-- Compare and set; going on is a new turn.
update trials.batches set status = :to_status, error = :error, ended_at = :ended_at,
    turn = turn + case when :to_status = 'waiting' then 1 else 0 end
where institution_id = :institution_id and id = :id and turn = :turn and status = :from_status;

-- name: advance_batch(institution_id, id, turn, cursor_from, cursor_to, cases, scored)$
-- A chunk is done: its number; null when somebody stopped the run or another process is further. Customers may have
-- come since it was asked for.
update trials.batches set cursor = :cursor_to, parts = parts + 1, scored = scored + :scored,
    cases_done = cases_done + :cases, cases_total = greatest(cases_total, cases_done + :cases)
where institution_id = :institution_id and id = :id and status = 'running' and turn = :turn and cursor = :cursor_from
returning parts;

-- name: add_part(institution_id, run_id, number, scores, problems, fell, body)!
-- In the transaction that advances the run.
insert into trials.batch_parts (institution_id, run_id, number, scores, problems, fell, body)
values (:institution_id, :run_id, :number, :scores, :problems, :fell, :body);

-- name: part_figures(institution_id, run_id)
-- What a run found, chunk by chunk, without whose it is.
select scores, problems, fell from trials.batch_parts where institution_id = :institution_id and run_id = :run_id;

-- name: part_bodies(institution_id, run_id)
-- Whose scores they are.
select number, body from trials.batch_parts
where institution_id = :institution_id and run_id = :run_id order by number;
