create schema customers;

-- One row per natural person and institution. What names or finds a person is sealed (AES-256-GCM or SM4-GCM) and
-- found again by a blind index; classes per column stand in backend/domains/customers/model.py (D3-14).
create table customers.people (
    institution_id text not null,
    id uuid not null,
    name_enc bytea not null,
    id_number_enc bytea not null,
    id_number_blind bytea not null,
    phone_enc bytea,
    phone_blind bytea,
    address_enc bytea not null,
    issuer_enc bytea not null,
    birth_on date not null,
    sex text not null check (sex in ('男', '女')),
    nation text not null,
    card_valid_from date not null,
    card_valid_until date,               -- null: 长期
    status text not null default 'active',
        -- active -> frozen (police list, dispute) -> active; active -> erased (right to deletion)
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, id_number_blind),
    unique (institution_id, phone_blind)
);
select xd.protect('customers.people');

insert into xd.lifecycle values
    ('customer', 'active', 'frozen'), ('customer', 'frozen', 'active'), ('customer', 'active', 'erased');
select xd.obey_lifecycle('customers.people', 'customer');

-- Which WeChat account speaks for which person; one to one at any moment, linked only after the ID check (A5-01).
create table customers.bindings (
    institution_id text not null,
    id uuid not null,
    openid text not null,
    customer_id uuid not null,
    bound_at timestamptz not null,
    unbound_at timestamptz,
    primary key (institution_id, id),
    foreign key (institution_id, customer_id) references customers.people
);
create unique index one_customer_per_openid on customers.bindings (institution_id, openid)
    where unbound_at is null;
create unique index one_openid_per_customer on customers.bindings (institution_id, customer_id)
    where unbound_at is null;
select xd.protect('customers.bindings');

-- The words of every consent text anybody agreed to, by their own hash.
create table customers.consent_texts (
    institution_id text not null,
    sha256 bytea not null check (sha256 = sha256(convert_to(source, 'UTF8'))),
    source text not null,
    primary key (institution_id, sha256)
);
select xd.protect('customers.consent_texts');
select xd.append_only('customers.consent_texts');

-- One row per purpose and recipient a person agreed to (D3-01, D3-02, D3-09). Only the withdrawal may be added.
create table customers.consents (
    institution_id text not null,
    id uuid not null,
    customer_id uuid not null,
    purpose text not null,
    recipient text not null,
    version integer not null,
    text_sha256 bytea not null,
    channel text not null,               -- h5 | bot | branch | officer
    given_at timestamptz not null,
    valid_until date,                    -- last day; null: until withdrawn or the relationship ends
    withdrawn_at timestamptz,
    primary key (institution_id, id),
    foreign key (institution_id, customer_id) references customers.people,
    foreign key (institution_id, text_sha256) references customers.consent_texts,
    check (withdrawn_at >= given_at)
);
create index on customers.consents (institution_id, customer_id, purpose, recipient, given_at desc);
select xd.protect('customers.consents');
revoke delete on customers.consents from xiaodai_app;

create function customers.only_withdraw() returns trigger language plpgsql as $$
begin
    if old.withdrawn_at is not null
        or to_jsonb(new) - 'withdrawn_at' is distinct from to_jsonb(old) - 'withdrawn_at' then
        raise exception 'a consent can only be withdrawn, once' using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger only_withdraw before update on customers.consents
    for each row execute function customers.only_withdraw();
