-- 审批权限: how much one reviewer may grant alone; above it a second one looks, as above a cap of the decision (A7-05).
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('review.alone_amount', '2026-01-01', null, 'fen', '15000000', true,
 '一位审查人自己就能同意的最高金额', '本系统取值', 'A7-05');

-- The same here: what is granted above it stands on a second person's word about this very amount, given by who answers.
-- A granted request that the road decides anew gives nothing yet: its new case is no referred one.
create function reviews.within_authority() returns trigger language plpgsql as $$
declare
    most numeric;
begin
    select p.value::numeric / 100 into most from regulation.parameters p
    where p.key = 'review.alone_amount' and p.enabled
        and p.effective_from <= (new.answered_at at time zone 'Asia/Shanghai')::date
        and (p.effective_to is null or p.effective_to >= (new.answered_at at time zone 'Asia/Shanghai')::date)
    order by p.effective_from desc limit 1;
    if new.amount <= most or new.outcome = 'granted' and not exists (
        select from applications.applications a where a.institution_id = new.institution_id
            and a.id = new.new_application_id and a.status = 'referred') then
        return new;
    end if;
    if not exists (select from reviews.exceedings e where e.institution_id = new.institution_id
            and e.review_id = new.id and e.status = 'confirmed' and e.amount = new.amount
            and e.checker = new.answered_by and e.maker <> e.checker) then
        raise exception 'more than one reviewer may grant alone' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger within_authority before update of status on reviews.reviews
    for each row when (new.status = 'answered' and new.outcome in ('approved', 'granted'))
    execute function reviews.within_authority();
