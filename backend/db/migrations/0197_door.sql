-- What failed and waits, by kind: looked for whenever one of its kind is delivered.
create index effects_failing on outbox.effects (institution_id, kind)
    where status = 'waiting' and last_error is not null;

-- The head is there but for the very first entry of an institution.
create or replace function audit.append(institution text, at timestamptz, actor text, entries jsonb) returns void
    language plpgsql as $$
declare
    head audit.heads;
    entry jsonb;
begin
    select * into head from audit.heads h where h.institution_id = institution for update;
    if not found then
        insert into audit.heads values (institution, 0, '\x00') on conflict do nothing;
        select * into head from audit.heads h where h.institution_id = institution for update;
    end if;
    for entry in select * from jsonb_array_elements(entries) loop
        head.seq := head.seq + 1;
        head.hash := audit.link(head.hash, institution, head.seq, at, actor, entry ->> 'action',
                                entry ->> 'subject', entry ->> 'details');
        insert into audit.entries values (institution, head.seq, at, actor, entry ->> 'action',
                                          entry ->> 'subject', entry ->> 'details', head.hash);
    end loop;
    update audit.heads h set seq = head.seq, hash = head.hash where h.institution_id = institution;
end $$;
