-- name: add(institution_id, id, stage, subject, application_id, product_code, outcome, reason_codes, completeness_bp, versions, capsule, capsule_sha256, now)!
-- What a stage outside a decision said, with everything it said it by.
insert into decision.assessments (institution_id, id, stage, subject, application_id, product_code, outcome,
    reason_codes, completeness_bp, versions, capsule, capsule_sha256, assessed_at)
values (:institution_id, :id, :stage, :subject, :application_id, :product_code, :outcome, :reason_codes,
    :completeness_bp, :versions, :capsule, :capsule_sha256, :now);

-- name: get(institution_id, id)^
-- One assessment.
select id, stage, subject, application_id, outcome, assessed_at, capsule, capsule_sha256
from decision.assessments
where institution_id = :institution_id and id = :id;

-- name: last_of(institution_id, application_id, stage)^
-- What a stage said last of a case.
select id, stage, subject, application_id, outcome, assessed_at, capsule, capsule_sha256
from decision.assessments
where institution_id = :institution_id and application_id = :application_id and stage = :stage
  and length(capsule) > 0
order by assessed_at desc, id desc
limit 1;

-- name: kept_stages(institution_id, application_id)
-- Which stages have said something of a case, so that it can be tried on other rules.
select distinct stage from decision.assessments
where institution_id = :institution_id and application_id = :application_id and length(capsule) > 0;

-- name: count_past(institution_id, stage, product_code, after)$
-- How many answers of a stage a county has of a product ('*': of all), to try a draft on; `after` as of decisions.
select count(*) from decision.assessments where institution_id = :institution_id and stage = :stage
    and length(capsule) > 0
    and (:product_code = '*' or product_code = :product_code) and id > :after::uuid;

-- name: past(institution_id, stage, product_code, before, most)
-- A county's answers of a stage, newest first, to try a draft on; `before` an id to go on from.
select id, capsule from decision.assessments where institution_id = :institution_id and stage = :stage
    and length(capsule) > 0
    and (:product_code = '*' or product_code = :product_code) and id < :before::uuid
order by id desc limit :most;

-- name: keep_last(institution_id, application_id, id, product_code, facts, now)!
-- What a line was looked at by tonight, in the place of the night before.
insert into decision.last_cases (institution_id, application_id, id, product_code, facts, asked_at)
values (:institution_id, :application_id, :id, :product_code, :facts, :now)
on conflict (institution_id, application_id) do update set id = excluded.id, product_code = excluded.product_code,
    facts = excluded.facts, asked_at = excluded.asked_at;

-- name: count_last(institution_id, product_code, since, after)$
-- How many lines of a county were looked at since a day ('*': of all products), to try a draft on; `after` as above.
select count(*) from decision.last_cases where institution_id = :institution_id and asked_at >= :since
    and (:product_code = '*' or product_code = :product_code) and id > :after::uuid;

-- name: last(institution_id, product_code, since, before, most)
-- What those lines were looked at by, the newest first; `before` an id to go on from.
select id, facts from decision.last_cases where institution_id = :institution_id and asked_at >= :since
    and (:product_code = '*' or product_code = :product_code) and id < :before::uuid
order by id desc limit :most;
