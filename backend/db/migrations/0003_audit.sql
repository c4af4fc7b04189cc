create schema audit;

-- The end of each institution's chain; locked by the transaction that appends to it.
create table audit.heads (
    institution_id text primary key,
    seq bigint not null,
    hash bytea not null
);
select xd.protect('audit.heads');

-- Tamper-evident log: every row's hash covers the row before it. Holds no personal data in clear.
create table audit.entries (
    institution_id text not null,
    seq bigint not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    subject text not null,
    details text not null,               -- canonical JSON
    hash bytea not null,
    primary key (institution_id, seq)
);
create index on audit.entries (institution_id, subject);
select xd.protect('audit.entries');
select xd.append_only('audit.entries');

create function audit.link(previous bytea, institution text, seq bigint, at timestamptz, actor text,
                           action text, subject text, details text) returns bytea
    language sql immutable parallel safe
    return sha256(previous || convert_to(
        jsonb_build_array(institution, seq, extract(epoch from at)::numeric(20, 6)::text, actor, action,
                          subject, details)::text, 'UTF8'));

-- Append a batch of entries at the end of a transaction; the head's row lock orders the writers.
create function audit.append(institution text, at timestamptz, actor text, entries jsonb) returns void
    language plpgsql as $$
declare
    head audit.heads;
    entry jsonb;
begin
    insert into audit.heads values (institution, 0, '\x00') on conflict do nothing;
    select * into head from audit.heads h where h.institution_id = institution for update;
    for entry in select * from jsonb_array_elements(entries) loop
        head.seq := head.seq + 1;
        head.hash := audit.link(head.hash, institution, head.seq, at, actor, entry ->> 'action',
                                entry ->> 'subject', entry ->> 'details');
        insert into audit.entries values (institution, head.seq, at, actor, entry ->> 'action',
                                          entry ->> 'subject', entry ->> 'details', head.hash);
    end loop;
    update audit.heads h set seq = head.seq, hash = head.hash where h.institution_id = institution;
end $$;
