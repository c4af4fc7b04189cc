-- name: newest_release(name)^
-- What decides for a set of strategies now; none before the first publication, then the seeded versions do.
select seq, strategies, scorecard, catalogue from decision.releases where name = :name order by seq desc limit 1;

-- name: bodies(hashes)
-- The texts behind hashes, to compile a release or replay a decision.
select hash, kind, stage, body from decision.versions where hash = any(:hashes::text[]);

-- name: known(hashes)
-- Which of these versions are stored already; bodies are large and are sent only once.
select hash from decision.versions where hash = any(:hashes::text[]);

-- name: add_version(hash, kind, name, stage, body, added_by, now)!
-- A version is stored once, whoever comes first.
insert into decision.versions (hash, kind, name, stage, body, added_by, added_at)
values (:hash, :kind, :name, :stage, :body, :added_by, :now)
on conflict (hash) do nothing;

-- name: release(name, strategies, scorecard, catalogue, reason, released_by, now)$
-- From its commit on this release decides.
insert into decision.releases (name, strategies, scorecard, catalogue, reason, released_by, released_at)
values (:name, :strategies, :scorecard, :catalogue, :reason, :released_by, :now)
returning seq;

-- name: record(institution_id, id, application_id, attempt, product_code, outcome, amount_fen, annual_rate_bp, term_months, grade, score, reason_codes, completeness_bp, versions, capsule, capsule_sha256, now)$
-- One result per attempt: a second writer of the same attempt gets no row back.
insert into decision.decisions (institution_id, id, application_id, attempt, product_code, outcome, amount_fen,
    annual_rate_bp, term_months, grade, score, reason_codes, completeness_bp, versions, capsule, capsule_sha256,
    decided_at)
values (:institution_id, :id, :application_id, :attempt, :product_code, :outcome, :amount_fen, :annual_rate_bp,
    :term_months, :grade, :score, :reason_codes, :completeness_bp, :versions, :capsule, :capsule_sha256, :now)
on conflict (institution_id, application_id, attempt) do nothing
returning id;

-- name: get(institution_id, id)^
-- One decision with its sealed capsule.
select * from decision.decisions where institution_id = :institution_id and id = :id;

-- name: latest_for(institution_id, application_id)^
-- The newest attempt at an application.
select * from decision.decisions where institution_id = :institution_id and application_id = :application_id
order by attempt desc limit 1;

-- name: institution_of(id)$
-- The county of a decision, or of an application's newest decision.
-- scope: all institutions, because support replays by a bare id; the replay itself works inside the county.
select institution_id from decision.decisions where id = :id or application_id = :id
order by (id = :id) desc, attempt desc limit 1;
