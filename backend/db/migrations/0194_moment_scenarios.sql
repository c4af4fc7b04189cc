-- 场景 of the stages outside a decision: '' is a case of the whole decision, else the moment it is asked at.
alter table strategies.scenarios add column stage text not null default ''
    check (stage in ('', 'marketing_gate', 'pre_screen', 'drawdown_check', 'early_warning', 'collection'));

-- A draft of such a stage is tried on the county's own past answers, newest first.
create index on decision.assessments (institution_id, stage, id desc);
