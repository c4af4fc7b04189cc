-- What was asked longer ago than this is not what is so today: no person grants on it (A7-05, D2-07).
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('review.facts_days', '2024-07-01', null, 'count', '30', true,
 '人工同意所依据的审批资料，最多是多久以前的（天）', '《个人贷款管理办法》第十六条、第十九条；本联社取值', 'A7-05');

-- A referred case may also be decided anew by the road: it goes on as a new application, as a granted request does.
alter table reviews.reviews drop constraint reviews_outcome_check;
alter table reviews.reviews add constraint reviews_outcome_check
    check (outcome in ('approved', 'declined', 'upheld', 'granted', 'anew')),
    add constraint anew_goes_on check (outcome is distinct from 'anew' or new_application_id is not null);
create index reviews_gone_on on reviews.reviews (institution_id, new_application_id)
    where new_application_id is not null;
