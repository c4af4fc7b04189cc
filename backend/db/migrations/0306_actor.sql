-- Who works in this transaction, 'kind:id', as `Database.begin` says it beside the institution; null when nobody was
-- named.
create function xd.actor() returns text language sql stable parallel safe
    return nullif(current_setting('app.actor', true), '');

-- A column that says who did something holds who does it now. Its owner may write what it likes: seeds and migrations
-- are no person's acts, and an owner could drop the trigger as well.
create function xd.check_signature() returns trigger language plpgsql as $$
declare
    signed jsonb := to_jsonb(new);
    before jsonb := case when tg_op = 'UPDATE' then to_jsonb(old) else '{}' end;
    me text := case tg_argv[0] when 'id' then substr(xd.actor(), 1 + strpos(xd.actor(), ':')) else xd.actor() end;
    name text;
begin
    if pg_has_role((select relowner from pg_class where oid = tg_relid), 'usage') then
        return new;
    end if;
    foreach name in array tg_argv[1:] loop
        if signed ->> name is distinct from before ->> name and signed ->> name is not null
           and signed ->> name is distinct from me then
            raise exception '%.% is signed by who acts, not by another', tg_table_name, name
                using errcode = 'check_violation';
        end if;
    end loop;
    return new;
end $$;

-- Hold columns of a table to the actor of the transaction, so that a rule of two people is kept by two people and not
-- by two names. `form`: 'who' for kind:id, 'id' for the id alone.
create function xd.sign(target regclass, form text, variadic columns text[]) returns void language plpgsql as $$
declare
    arguments text := (select string_agg(quote_literal(each), ', ') from unnest(form || columns) each);
begin
    if form not in ('who', 'id') then
        raise exception 'a signature is who or id';
    end if;
    execute format('create trigger signed_new before insert on %s for each row when (%s) '
        'execute function xd.check_signature(%s)', target,
        (select string_agg(format('new.%I is not null', each), ' or ') from unnest(columns) each), arguments);
    execute format('create trigger signed before update on %s for each row when (%s) '
        'execute function xd.check_signature(%s)', target,
        (select string_agg(format('new.%1$I is distinct from old.%1$I', each), ' or ') from unnest(columns) each),
        arguments);
end $$;

select xd.sign('strategies.versions', 'who', 'maker', 'checker'),
    xd.sign('strategies.approvals', 'who', 'checker'),
    xd.sign('strategies.moves', 'who', 'who'),
    xd.sign('strategies.check_runs', 'who', 'run_by'),
    xd.sign('strategies.scenarios', 'who', 'made_by', 'stop_asked_by', 'retired_by'),
    xd.sign('relations.list_entries', 'who', 'made_by', 'checked_by', 'end_asked_by', 'ended_by'),
    xd.sign('reviews.reviews', 'who', 'answered_by'),
    xd.sign('reviews.inquiries', 'who', 'asked_by'),
    xd.sign('reviews.rechecks', 'who', 'found_by', 'done_by'),
    xd.sign('reviews.exceedings', 'who', 'maker', 'checker'),
    xd.sign('post_loan.challenges', 'who', 'maker', 'checker', 'ended_by'),
    xd.sign('post_loan.warnings', 'who', 'answered_by'),
    xd.sign('post_loan.drawdown_checks', 'who', 'answered_by'),
    xd.sign('models.models', 'id', 'made_by', 'tested_by', 'reviewed_by', 'approved_by'),
    xd.sign('models.events', 'id', 'who'),
    xd.sign('models.line_up_proposals', 'id', 'maker', 'checker'),
    xd.sign('models.line_ups', 'id', 'who'),
    xd.sign('models.alarms', 'id', 'acknowledged_by'),
    xd.sign('surveys.surveys', 'id', 'checked_by'),
    xd.sign('campaigns.materials', 'id', 'maker', 'reviewer'),
    xd.sign('campaigns.freezes', 'id', 'released_by'),
    xd.sign('products.versions', 'id', 'maker'),
    xd.sign('products.publications', 'id', 'checker');

-- The chain takes institution, actor and moment from the transaction itself, and nobody adds a link but by this door.
drop function audit.append(text, timestamptz, text, jsonb);
create function audit.append(entries jsonb) returns void
    language plpgsql security definer set search_path = pg_catalog as $$
declare
    institution text := xd.institution();
    who text := xd.actor();
    head audit.heads;
    entry jsonb;
begin
    if institution is null or who is null then
        raise exception 'nobody is named who acts' using errcode = 'check_violation';
    end if;
    select * into head from audit.heads h where h.institution_id = institution for update;
    if not found then
        insert into audit.heads values (institution, 0, '\x00') on conflict do nothing;
        select * into head from audit.heads h where h.institution_id = institution for update;
    end if;
    for entry in select * from jsonb_array_elements(entries) loop
        head.seq := head.seq + 1;
        head.hash := audit.link(head.hash, institution, head.seq, now(), who, entry ->> 'action',
                                entry ->> 'subject', entry ->> 'details');
        insert into audit.entries values (institution, head.seq, now(), who, entry ->> 'action',
                                          entry ->> 'subject', entry ->> 'details', head.hash);
    end loop;
    update audit.heads h set seq = head.seq, hash = head.hash where h.institution_id = institution;
end $$;
revoke all on function audit.append(jsonb) from public;
grant execute on function audit.append(jsonb) to xiaodai_app;
revoke insert on audit.entries from xiaodai_app;
revoke insert, update on audit.heads from xiaodai_app;
