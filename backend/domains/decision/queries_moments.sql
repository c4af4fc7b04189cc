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
order by assessed_at desc, id desc
limit 1;
