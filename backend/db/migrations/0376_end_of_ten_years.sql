-- Who signed a contract is kept for as long as the law says (`retention.identity_months`, `retention.transactions_months`:
-- rows with their dates), from the end of the line, of the last loan and of what others answer for; then they are made
-- anonymous like everybody else (D7). `law` is that moment, `before` the end of the time promised to all.
drop function customers.kept_by(text, uuid, timestamptz);
create function customers.kept_by(inst text, person uuid, before timestamptz, law timestamptz)
    returns text language sql stable as $$
    select case
    when not exists (select from customers.people p where p.institution_id = inst and p.id = person
            and p.status = 'active' and p.updated_at < before)
        then 'person'
    when exists (select from applications.applications a where a.institution_id = inst and a.customer_id = person and (
            a.status not in ('declined', 'expired', 'cancelled', 'abandoned', 'signed', 'repaid')
            or exists (select from applications.events e where e.institution_id = inst and e.application_id = a.id
                and e.from_status is distinct from e.to_status and e.at >= before)))
        then 'application'
    when exists (select from contracts.contracts c where c.institution_id = inst and c.customer_id = person
            and (c.signed_at is null and c.status <> 'void' or c.signed_at is not null and greatest(c.signed_at,
                (c.agreed_on + make_interval(months => c.term_months)) at time zone 'Asia/Shanghai') >= law))
        then 'contract'
    when exists (select from applications.applications a
            join loans.loans l on l.institution_id = inst and l.application_id = a.id
            where a.institution_id = inst and a.customer_id = person
                and (l.paid_off_at is null or l.paid_off_at >= law))
        then 'loan'
    when exists (select from guarantees.guarantees g
            left join contracts.contracts c on c.institution_id = inst and c.application_id = g.application_id
            where g.institution_id = inst and g.guarantor_id = person
                and (g.ended_at is null or g.ended_at >= before
                    or g.confirmed_at is not null and c.signed_at is not null and g.ended_at >= law))
        then 'guarantee'
    when exists (select from applications.applications a
            join reviews.reviews r on r.institution_id = inst and r.application_id = a.id
            where a.institution_id = inst and a.customer_id = person
                and (r.status = 'open' or r.answered_at >= before))
        then 'review'
    when exists (select from applications.applications a
            join reviews.rechecks r on r.institution_id = inst and r.application_id = a.id
            where a.institution_id = inst and a.customer_id = person
                and (r.status in ('open', 'disagreed') or greatest(r.found_at, r.done_at) >= before))
        then 'recheck'
    when exists (select from channels.tickets t where t.institution_id = inst and t.customer_id = person
            and (t.status = 'open' or coalesce(t.answered_at, t.created_at) >= before))
        or exists (select from customers.bindings b
            join channels.tickets t on t.institution_id = inst and t.openid = b.openid
            where b.institution_id = inst and b.customer_id = person and b.unbound_at is null
                and (t.status = 'open' or coalesce(t.answered_at, t.created_at) >= before))
        then 'ticket'
    when exists (select from relations.findings f where f.institution_id = inst and f.customer_id = person
            and (f.status in ('open', 'in_hand') or f.answered_at >= before))
        then 'finding'
    when exists (select from customers.consents c where c.institution_id = inst and c.customer_id = person
            and c.given_at >= before)
        then 'consent'
    when exists (select from applications.applications a
            join outbox.effects e on e.institution_id = inst and e.case_id = a.id::text
            where a.institution_id = inst and a.customer_id = person and e.status in ('waiting', 'delivering'))
        or exists (select from applications.applications a
            join outbox.inbox m on m.institution_id = inst and m.case_id = a.id::text
            where a.institution_id = inst and a.customer_id = person and m.applied_at is null)
        then 'effect'
    end
$$;

-- What was said of a loan in its time goes with the person: checks, warnings, collection. Amounts and dates stay.
create or replace function customers.empty_closed(inst text, person uuid) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    cases uuid[];
begin
    if not exists (select from customers.people p
                   where p.institution_id = inst and p.id = person and p.status = 'erased') then
        raise exception 'only of an erased person' using errcode = 'restrict_violation';
    end if;
    cases := array(select a.id from applications.applications a
                   where a.institution_id = inst and a.customer_id = person);
    perform set_config('xd.emptying', 'capsule', true);
    update decision.decisions d set capsule = '\x' where d.institution_id = inst and d.application_id = any(cases);
    update decision.assessments d set capsule = '\x' where d.institution_id = inst and d.application_id = any(cases);
    perform set_config('xd.emptying', 'body', true);
    update decision.nearest_changes n set body = '\x' from decision.decisions d
    where n.institution_id = inst and d.institution_id = inst and d.id = n.decision_id
      and d.application_id = any(cases);
    perform set_config('xd.emptying', 'facts', true);
    update evidence.answers e set facts = '\x' where e.institution_id = inst and e.application_id = any(cases);
    perform set_config('xd.emptying', 'raw', true);
    update evidence.answers e set raw = '\x' where e.institution_id = inst and e.application_id = any(cases);
    perform set_config('xd.emptying', 'content', true);
    update contracts.documents d set content = '\x' from contracts.contracts c
    where d.institution_id = inst and c.institution_id = inst and c.id = d.contract_id
      and c.application_id = any(cases);
    perform set_config('xd.emptying', 'note', true);
    update post_loan.contact_notes n set note = '\x' from post_loan.collection_cases c
    where n.institution_id = inst and c.institution_id = inst and c.id = n.case_id and c.application_id = any(cases);
    perform set_config('xd.emptying', '', true);
    update post_loan.collection_cases c set said = '\x' where c.institution_id = inst and c.application_id = any(cases);
    update post_loan.drawdown_checks d set said = '\x', payee = null,
        found = case when d.found is not null then '\x'::bytea end
    where d.institution_id = inst and d.application_id = any(cases);
    update post_loan.warnings w set said = '\x', done = case when w.done is not null then '\x'::bytea end
    where w.institution_id = inst and w.application_id = any(cases);
    delete from decision.last_cases c where c.institution_id = inst and c.application_id = any(cases);
end $$;
