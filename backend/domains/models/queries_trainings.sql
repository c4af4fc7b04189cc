-- name: add_training(institution_id, id, source, county_name, columns, cases, asked_by, forget_at, now)!
-- A training whose columns and words are still to be chosen.
insert into models.trainings (institution_id, id, source, county_name, columns, cases, status, asked_by, asked_at, forget_at)
values (:institution_id, :id, :source, :county_name, :columns, :cases, 'prepared', :asked_by, :now, :forget_at);

-- name: add_training_table(institution_id, training_id, body)!
-- What was uploaded, sealed.
insert into models.training_tables (institution_id, training_id, body) values (:institution_id, :training_id, :body);

-- name: training(institution_id, id)^
-- One training.
select id, institution_id, source, county_name, columns, cases, status, choices, step, said, turn, attempts, asked_by,
    asked_at, started_at, ended_at, forget_at, model_id
from models.trainings where institution_id = :institution_id and id = :id;

-- name: trainings(institution_id, most)
-- The newest of an institution.
select id, institution_id, source, county_name, columns, cases, status, choices, step, said, turn, attempts, asked_by,
    asked_at, started_at, ended_at, forget_at, model_id
from models.trainings where institution_id = :institution_id order by asked_at desc, id desc limit :most;

-- name: lock_training(institution_id, id)$
-- Nobody else moves it before this transaction ends.
select id from models.trainings where institution_id = :institution_id and id = :id for update;

-- name: lock_training_room(institution_id)$
-- Who counts is alone in it until the transaction ends.
select pg_advisory_xact_lock(hashtextextended('models.trainings ' || :institution_id, 0));

-- name: open_trainings(institution_id)
-- Trainings the worker has not come to the end of: the one under way, then the others as they joined the line.
select id from models.trainings where institution_id = :institution_id and status in ('waiting', 'running')
order by status = 'waiting', started_at, id;

-- name: open_trainings_everywhere()
-- Trainings that are waited for.
-- scope: all institutions, because one job looks whether theirs is still done; ids only.
select institution_id, id from models.trainings where status in ('waiting', 'running');

-- name: tables_kept(institution_id)$
-- Uploaded tables that lie with us.
select count(*) from models.training_tables where institution_id = :institution_id;

-- name: queue_training(institution_id, id, from_status, choices, now)!
-- A new turn with what was typed.
update models.trainings set status = 'waiting', choices = :choices, turn = turn + 1, attempts = 0, step = '', said = null,
    started_at = :now, ended_at = null
where institution_id = :institution_id and id = :id and status = :from_status;

-- name: take_training(institution_id, id, turn)!
-- A worker has it; a second one after a death counts as another attempt.
update models.trainings set status = 'running', attempts = attempts + 1
where institution_id = :institution_id and id = :id and turn = :turn and status in ('waiting', 'running');

-- name: tell_training(institution_id, id, turn, step)!
-- What is being done now; no row once the turn is over.
update models.trainings set step = :step
where institution_id = :institution_id and id = :id and turn = :turn and status = 'running';

-- name: end_training(institution_id, id, turn, from_status, to_status, said, now)!
-- Compare and set.
update models.trainings set status = :to_status, said = :said, step = '', ended_at = :now
where institution_id = :institution_id and id = :id and turn = :turn and status = :from_status;

-- name: register_training(institution_id, id, model_id)!
-- Its model stands in the register from now on.
update models.trainings set status = 'registered', model_id = :model_id
where institution_id = :institution_id and id = :id and status = 'done';

-- name: training_table(institution_id, training_id)$
-- What was uploaded, sealed; null once it is deleted.
select body from models.training_tables where institution_id = :institution_id and training_id = :training_id;

-- name: forget_training_table(institution_id, training_id)!
-- The personal data is gone; what is known of its columns stays.
with gone as (
    delete from models.training_tables where institution_id = :institution_id and training_id = :training_id
    returning training_id
)
update models.trainings set forget_at = null where institution_id = :institution_id and id = :training_id
    and (forget_at is not null or exists (select from gone));

-- name: tables_to_forget(before)
-- Uploaded tables whose time is over.
-- scope: all institutions, because one job deletes them all; ids only.
select institution_id, id from models.trainings where forget_at <= :before;

-- name: put_training_result(institution_id, training_id, artefact, report, html, pdf)!
-- The model of the newest turn.
insert into models.training_results (institution_id, training_id, artefact, report, html, pdf)
values (:institution_id, :training_id, :artefact, :report, :html, :pdf)
on conflict (institution_id, training_id) do update set artefact = excluded.artefact, report = excluded.report,
    html = excluded.html, pdf = excluded.pdf;

-- name: training_result(institution_id, training_id)^
-- Model and report.
select artefact, report, html, pdf from models.training_results
where institution_id = :institution_id and training_id = :training_id;

-- name: drop_training_result(institution_id, training_id)!
-- Nothing is kept of a model that stands in the register, or that another turn replaces.
delete from models.training_results where institution_id = :institution_id and training_id = :training_id;
