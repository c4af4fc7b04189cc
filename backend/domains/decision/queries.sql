-- name: live(institution_id, product_code)
-- What decides for a product in a county now: the union's documents and the county's, of the product and of all.
select institution_id, product_code, stage, hash, price_band, until from decision.live
where institution_id in ('*', :institution_id) and product_code in ('*', :product_code);

-- name: set_live(institution_id, product_code, stage, hash, price_band, until, now)!
-- From its commit on this document decides.
insert into decision.live (institution_id, product_code, stage, hash, price_band, until, since)
values (:institution_id, :product_code, :stage, :hash, :price_band, :until::timestamptz, :now)
on conflict (institution_id, product_code, stage) do update
set hash = excluded.hash, price_band = excluded.price_band, until = excluded.until, since = excluded.since;

-- name: end_live(institution_id, product_code, stage)!
-- From its commit on this layer has no document of its own for the product and stage.
delete from decision.live
where institution_id = :institution_id and product_code = :product_code and stage = :stage;

-- name: county_bodies(institution_id, hashes)
-- The texts behind a county's overlays.
select hash, body from decision.county_versions where institution_id = :institution_id
    and hash = any(:hashes::text[]);

-- name: add_county_version(institution_id, hash, stage, body, added_by, now)!
-- An overlay's text is stored once.
insert into decision.county_versions (institution_id, hash, stage, body, added_by, added_at)
values (:institution_id, :hash, :stage, :body, :added_by, :now)
on conflict (institution_id, hash) do nothing;

-- name: pin(institution_id, application_id, versions, now)!
-- The versions a case begins with; the first pin stands.
insert into decision.pins (institution_id, application_id, versions, pinned_at)
values (:institution_id, :application_id, :versions, :now)
on conflict (institution_id, application_id) do nothing;

-- name: pinned(institution_id, application_id)$
-- The versions a case began with; none for one that began before there were pins.
select versions from decision.pins where institution_id = :institution_id and application_id = :application_id;

-- name: count_past(institution_id, product_code, after)$
-- How many decisions a county has of a product ('*': of all), to try a draft on; `after` an id that is counted no more.
select count(*) from decision.decisions where institution_id = :institution_id and length(capsule) > 0
    and (:product_code = '*' or product_code = :product_code) and id > :after::uuid;

-- name: past(institution_id, product_code, before, most)
-- A county's decisions, newest first, to try a draft on; `before` an id to go on from.
select id, capsule from decision.decisions where institution_id = :institution_id and length(capsule) > 0
    and (:product_code = '*' or product_code = :product_code) and id < :before::uuid
order by id desc limit :most;

-- name: first_beyond(institution_id, product_code, block, least)$
-- The oldest of the newest decisions that fill no block of so many yet (`least` where there is not one block), forgotten
-- ones counted; no row where they do.
with left_over as (
    select case when count(*) >= :block then count(*) % :block else count(*) % :least end as cases
    from decision.decisions where institution_id = :institution_id
        and (:product_code = '*' or product_code = :product_code)
)
select id from decision.decisions where institution_id = :institution_id
    and (:product_code = '*' or product_code = :product_code)
order by id desc offset (select greatest(cases - 1, 0) from left_over) limit (select least(cases, 1) from left_over);

-- name: bodies(hashes)
-- The texts behind hashes, to compile what is live or replay a decision.
select hash, kind, stage, body from decision.versions where hash = any(:hashes::text[]);

-- name: may_be_named(hashes)
-- Which scorecards and models a new document may name: of a release, or registered, approved and not retired.
select hash from unnest(:hashes::text[]) as asked (hash) where decision.may_be_named(hash);

-- name: hold_models(hashes)!
-- Until the transaction ends nobody retires one of these, or publishes what names one.
select decision.hold_models(:hashes::text[]);

-- name: known(hashes)
-- Which of these versions are stored already; bodies are large and are sent only once.
select hash from decision.versions where hash = any(:hashes::text[]);

-- name: add_version(hash, kind, name, stage, body, added_by, now)!
-- A version is stored once, whoever comes first.
insert into decision.versions (hash, kind, name, stage, body, added_by, added_at)
values (:hash, :kind, :name, :stage, :body, :added_by, :now)
on conflict (hash) do nothing;

-- name: record(institution_id, id, application_id, attempt, product_code, outcome, amount_fen, annual_rate_bp, term_months, grade, score, reason_codes, completeness_bp, versions, capsule, capsule_sha256, advice, actionable, now)$
-- One result per attempt: a second writer of the same attempt gets no row back. Beside it what is told of the way to
-- more, if anything is.
with recorded as (
    insert into decision.decisions (institution_id, id, application_id, attempt, product_code, outcome, amount_fen,
        annual_rate_bp, term_months, grade, score, reason_codes, completeness_bp, versions, capsule, capsule_sha256,
        decided_at)
    values (:institution_id, :id, :application_id, :attempt, :product_code, :outcome, :amount_fen, :annual_rate_bp,
        :term_months, :grade, :score, :reason_codes, :completeness_bp, :versions, :capsule, :capsule_sha256, :now)
    on conflict (institution_id, application_id, attempt) do nothing
    returning institution_id, id
), advised as (
    insert into decision.nearest_changes (institution_id, decision_id, body, actionable, found_at)
    select institution_id, id, :advice, :actionable, :now from recorded where cast(:advice as bytea) is not null
)
select id from recorded;

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

-- name: nearest_of(institution_id, decision_id)$
-- The sealed advice of one decision; none when nothing lawful helps.
select body from decision.nearest_changes where institution_id = :institution_id and decision_id = :decision_id;

-- name: forgotten(institution_id, application_id)$
-- Whether a case was looked at and what it was looked at by was deleted since.
select exists (select from decision.decisions
               where institution_id = :institution_id and application_id = :application_id and length(capsule) = 0)
    or exists (select from decision.assessments
               where institution_id = :institution_id and application_id = :application_id and length(capsule) = 0);
