create schema institutions;

-- 市县行社: each a legal entity and a tenant (A1-02). Public facts only.
create table institutions.institutions (
    id text primary key,
    name text not null,
    short_name text not null,
    county text not null,
    service_phone text not null,
    address text not null,
    region_prefixes text[] not null,     -- first six digits of ID numbers registered here
    live_from date not null,             -- staged go-live (A1-03)
    position integer not null default 0
);
select xd.share('institutions.institutions');

-- Which county serves a township (D1-12).
create table institutions.areas (
    institution_id text not null references institutions.institutions,
    town text not null,
    villages text[] not null default '{}',
    primary key (institution_id, town)
);
select xd.share('institutions.areas');

-- 网点
create table institutions.branches (
    institution_id text not null references institutions.institutions,
    id text not null,
    name text not null,
    address text not null,
    primary key (institution_id, id)
);
select xd.protect('institutions.branches');

create schema identity;

-- Everybody who signs in as staff. Head-office staff belong to institution '0000'.
create table identity.staff (
    institution_id text not null,
    id uuid not null,
    staff_no text not null,                -- 工号
    name text not null,
    branch_id text,
    roles text[] not null,
    subject text not null,                 -- the sign-on's identifier
    phone text not null default '',
    qualification_no text not null default '',
    authority_from date,                   -- 营销授权 (D4-01)
    authority_to date,
    active boolean not null default true,
    primary key (institution_id, id),
    unique (institution_id, staff_no),
    unique (institution_id, subject)
);
select xd.protect('identity.staff');

create table identity.staff_sessions (
    institution_id text not null,
    token_hash bytea not null,
    staff_id uuid not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,       -- absolute end; idle end is seen_at + 15 min
    revoked_at timestamptz,
    primary key (institution_id, token_hash),
    foreign key (institution_id, staff_id) references identity.staff
);
select xd.protect('identity.staff_sessions');

-- One browser of one customer on the H5 pages, for one institution.
create table identity.customer_sessions (
    institution_id text not null,
    id uuid not null,
    token_hash bytea not null,
    openid text,
    customer_id uuid,
    application_id uuid,
    large_type boolean not null default false,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, token_hash)
);
select xd.protect('identity.customer_sessions');

-- SMS codes: hashed, five tries, five minutes, bound to session and purpose (ASVS 6.x).
create table identity.one_time_codes (
    institution_id text not null,
    id uuid not null,
    session_id uuid not null,
    purpose text not null,
    phone_index bytea not null,
    code_hash bytea not null,
    tries integer not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (institution_id, id)
);
create index on identity.one_time_codes (institution_id, session_id, purpose, created_at desc);
select xd.protect('identity.one_time_codes');
