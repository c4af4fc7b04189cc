create schema contracts;

create sequence contracts.number_seq;
grant usage on schema contracts to xiaodai_app;
grant usage on sequence contracts.number_seq to xiaodai_app;

-- 合同: the approved terms of one application, from the approval to the last repayment (A3-21).
create table contracts.contracts (
    institution_id text not null,
    id uuid not null,
    application_id uuid not null,
    customer_id uuid not null,
    contract_no text not null,
    status text not null default 'draft',
        -- draft -> ready (documents fixed) -> signed -> completed; or void, terminated
    agreed_by text not null,             -- decision, or review:<staff id>
    product_code text not null,
    product_name text not null,
    internet_consumer boolean not null,  -- counts towards the 200,000 yuan cap (D1-01)
    limit_amount numeric(18, 2) not null check (limit_amount > 0),
    annual_rate numeric(9, 6) not null check (annual_rate > 0),
    term_months integer not null check (term_months > 0),
    repayment_method text not null,
    purpose text not null,
    agreed_on date not null,             -- the product version of this day gives fees, factors, day count
    valid_until date not null,           -- last day on which it may be signed
    manifest_sha256 text,                -- over all documents, once they are fixed
    offer_no text,                       -- the mobile bank's receipt
    bank_sequence integer not null default 0,  -- last callback applied
    polled_at timestamptz,
    signature_no text,
    line_no text,
    signed_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, application_id),
    unique (institution_id, contract_no),
    foreign key (institution_id, application_id) references applications.applications,
    check (status in ('draft', 'void') or manifest_sha256 is not null)
);
create index on contracts.contracts (institution_id, customer_id);
create index on contracts.contracts (application_id);
create index contracts_quiet on contracts.contracts (polled_at nulls first) where status in ('ready', 'signed');
select xd.protect('contracts.contracts');

insert into xd.lifecycle (name, from_status, to_status) values
    ('contract', 'draft', 'ready'), ('contract', 'draft', 'void'),
    ('contract', 'ready', 'signed'), ('contract', 'ready', 'void'),
    ('contract', 'signed', 'completed'), ('contract', 'signed', 'terminated');
select xd.obey_lifecycle('contracts.contracts', 'contract');

-- 明示表 shown and confirmed (D2-09). The dwell is measured by us, not by the phone.
create table contracts.disclosures (
    institution_id text not null,
    id uuid not null,
    contract_id uuid not null,
    version text not null,
    sha256 text not null,
    shown_at timestamptz not null,
    confirmed_at timestamptz not null,
    required_seconds integer not null,
    confirmed_by text not null,
    primary key (institution_id, id),
    unique (institution_id, contract_id),
    foreign key (institution_id, contract_id) references contracts.contracts,
    check (confirmed_at >= shown_at + required_seconds * interval '1 second')
);
select xd.protect('contracts.disclosures');
select xd.append_only('contracts.disclosures');

-- A contract cannot start without the confirmed 明示表, whatever the code does.
create function contracts.require_disclosure() returns trigger language plpgsql as $$
begin
    if new.status = 'ready' and old.status = 'draft' and not exists (
        select from contracts.disclosures d
        where d.institution_id = new.institution_id and d.contract_id = new.id
    ) then
        raise exception 'contract % has no confirmed disclosure', new.contract_no
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger require_disclosure before update of status on contracts.contracts
    for each row execute function contracts.require_disclosure();

-- The documents of the package, byte for byte as they are signed.
create table contracts.documents (
    institution_id text not null,
    id uuid not null,
    contract_id uuid not null,
    position integer not null,
    kind text not null,                  -- contract | disclosure | consent
    title text not null,
    sha256 text not null,
    content bytea not null,              -- sealed PDF
    created_at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, contract_id, position),
    foreign key (institution_id, contract_id) references contracts.contracts
);
select xd.protect('contracts.documents');
select xd.append_only('contracts.documents');
