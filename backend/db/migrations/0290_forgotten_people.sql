-- 匿名: who never got a loan is kept for as long as the consents promise and then made anonymous (D7, D3-06).
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('retention.unfinished_days', '2021-11-01', null, 'count', '90', true,
 '没有办成贷款的人：申请结束之后匿名（天）', '《个人信息保护法》第十九条、第四十七条；授权书里答应客户的', 'D7');

-- Whoever is erased has nothing left that names them; everybody else has all that a card says.
alter table customers.people
    alter column name_enc drop not null, alter column id_number_enc drop not null,
    alter column id_number_blind drop not null, alter column address_enc drop not null,
    alter column issuer_enc drop not null, alter column nation drop not null,
    alter column card_valid_from drop not null,
    add constraint erased_or_whole check (case when status = 'erased'
        then num_nonnulls(name_enc, name_blind, id_number_enc, id_number_blind, phone_enc, phone_blind, address_enc,
            issuer_enc, nation, card_valid_from, card_valid_until) = 0
        else num_nulls(name_enc, id_number_enc, id_number_blind, address_enc, issuer_enc, nation, card_valid_from) = 0
        end);
create index people_erased on customers.people (institution_id, updated_at) where status = 'erased';
drop index customers.people_without_name_index;
create index people_without_name_index on customers.people (created_at)
    where name_blind is null and status <> 'erased';

-- The law wants the consent to a bureau query provable for years after its giver is forgotten (D3-09): a keyed hash
-- of consent and ID number together. Who brings the number can be told; from here nobody is found, and no two of one
-- person look alike.
create table customers.consent_proofs (
    institution_id text not null,
    consent_id uuid not null,
    person bytea not null check (length(person) = 32),
    primary key (institution_id, consent_id),
    foreign key (institution_id, consent_id) references customers.consents
);
select xd.protect('customers.consent_proofs');
select xd.append_only('customers.consent_proofs');

create index guarantees_of_person on guarantees.guarantees (institution_id, guarantor_id);
create index findings_of_person on relations.findings (institution_id, customer_id);
create index captures_of_guarantee on applications.captures (institution_id, guarantee_id)
    where guarantee_id is not null;
create index sessions_of_person on identity.customer_sessions (institution_id, customer_id);
create index codes_of_phone on identity.one_time_codes (institution_id, phone_index);
create index sightings_of_person on relations.sightings (institution_id, customer_id);

-- Why a person is not to be forgotten yet; null for nobody in the way. `before` is the end of the promised time. What
-- was asked for and answered after a case ended (a review, a complaint) begins the time anew.
create function customers.kept_by(inst text, person uuid, before timestamptz) returns text language sql stable as $$
    select case
    when not exists (select from customers.people p where p.institution_id = inst and p.id = person
            and p.status = 'active' and p.updated_at < before)
        then 'person'
    when exists (select from applications.applications a where a.institution_id = inst and a.customer_id = person and (
            a.status not in ('declined', 'expired', 'cancelled', 'abandoned')
            or exists (select from applications.events e where e.institution_id = inst and e.application_id = a.id
                and e.from_status is distinct from e.to_status and e.at >= before)))
        then 'application'
    when exists (select from contracts.contracts c where c.institution_id = inst and c.customer_id = person
            and (c.status <> 'void' or c.signed_at is not null))
        then 'contract'
    when exists (select from applications.applications a
            join loans.loans l on l.institution_id = inst and l.application_id = a.id
            where a.institution_id = inst and a.customer_id = person)
        then 'loan'
    when exists (select from guarantees.guarantees g
            left join contracts.contracts c on c.institution_id = inst and c.application_id = g.application_id
            where g.institution_id = inst and g.guarantor_id = person
                and (g.ended_at is null or g.ended_at >= before
                    or g.confirmed_at is not null and c.signed_at is not null))
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

-- Rows nobody may change are emptied of an erased person, and of nobody else: the application has no right to write
-- them but by `customers.empty_closed`, and the trigger lets a field only become empty.
create or replace function xd.refuse_change() returns trigger language plpgsql as $$
declare
    resealing text := xd.resealing();
    emptying text := nullif(current_setting('xd.emptying', true), '');
begin
    if tg_op = 'UPDATE' and resealing is not null and to_jsonb(new) - resealing = to_jsonb(old) - resealing then
        return new;
    end if;
    if tg_op = 'UPDATE' and emptying is not null and to_jsonb(new) ->> emptying = '\x'
        and to_jsonb(new) - emptying = to_jsonb(old) - emptying then
        return new;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;

create function customers.empty_closed(inst text, person uuid) returns void
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
    perform set_config('xd.emptying', '', true);
end $$;
revoke execute on function customers.empty_closed(text, uuid) from public;
grant execute on function customers.empty_closed(text, uuid) to xiaodai_app;

-- A field that was emptied is under no key.
create or replace function xd.stale(institution text, target regclass, sealed_column text, id_sql text, current integer, most integer)
returns table (row_id text, stored bytea) language plpgsql stable as $$
begin
    return query execute format(
        'select %s, %I from %s where institution_id = $1 and case when length(%I) > 0 then get_byte(%I, 1) <> $2 end '
        'limit $3', id_sql, sealed_column, target, sealed_column, sealed_column) using institution, current, most;
end $$;

-- The words of a guarantee that came to nothing go with whoever of the two is forgotten.
create or replace function guarantees.keep_the_word() returns trigger language plpgsql as $$
declare
    resealing text := coalesce(xd.resealing(), '-');
    ending text[] := array['status', 'why', 'ended_at', 'updated_at'];
begin
    if old.status = 'released' and new.terms = '\x' and exists (
        select from customers.people p where p.institution_id = old.institution_id
            and p.id in (old.borrower_id, old.guarantor_id) and p.status = 'erased') then
        ending := ending || array['terms'];
    end if;
    if to_jsonb(new) - ending - resealing is distinct from to_jsonb(old) - ending - resealing then
        raise exception 'a confirmed guarantee is not changed' using errcode = 'check_violation';
    end if;
    return new;
end $$;
