create schema campaigns;

-- 营销活动: one product, one county, some weeks (A3-23).
create table campaigns.campaigns (
    institution_id text not null,
    id uuid not null,
    name text not null,
    product_code text not null,
    purpose text,                        -- prefilled in the application
    village text,
    starts_on date not null,
    ends_on date not null,               -- last day
    status text not null default 'running',
        -- running -> ended
    created_by text not null,
    created_at timestamptz not null,
    primary key (institution_id, id),
    check (ends_on >= starts_on)
);
select xd.protect('campaigns.campaigns');
insert into xd.lifecycle values ('campaign', 'running', 'ended');
select xd.obey_lifecycle('campaigns.campaigns', 'campaign');

-- 物料: what may be shown; only reviewed versions are used (D4-03, D4-07).
create table campaigns.materials (
    institution_id text not null,
    id uuid not null,
    material_no text not null,           -- printed on every poster
    campaign_id uuid not null,
    version integer not null,
    headline text not null,
    risk_text text not null,
    sha256 bytea not null,
    maker text not null,
    made_at timestamptz not null,
    reviewer text,
    reviewed_at timestamptz,
    withdrawn_at timestamptz,
    primary key (institution_id, id),
    unique (institution_id, material_no, version),
    foreign key (institution_id, campaign_id) references campaigns.campaigns,
    check ((reviewer is null) = (reviewed_at is null)),
    check (reviewer <> maker)
);
select xd.protect('campaigns.materials');

-- 责任码 (N1, A3-05): unique to institution, officer, campaign and placement; its claims are sealed in the token.
create table campaigns.codes (
    institution_id text not null,
    id uuid not null,
    serial text not null,                -- the part of the token that finds the row
    key_id smallint not null,
    officer_id uuid not null,
    qualification_no text not null,
    campaign_id uuid not null,
    placement text not null,
    placement_label text not null,       -- the group's name, the village notice board …
    material_id uuid not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    frozen_at timestamptz,
    revoked_at timestamptz,
    closed_reason text,
    primary key (institution_id, id),
    unique (institution_id, serial),
    unique (institution_id, officer_id, campaign_id, placement, placement_label),
    foreign key (institution_id, campaign_id) references campaigns.campaigns,
    foreign key (institution_id, material_id) references campaigns.materials,
    foreign key (institution_id, officer_id) references identity.staff,
    check (expires_at > issued_at)
);
select xd.protect('campaigns.codes');

-- Attribution: every opening of a code, real or not any more.
create table campaigns.scans (
    institution_id text not null,
    id uuid not null,
    code_id uuid not null,
    at timestamptz not null,
    channel text not null,               -- qr | bot | link
    visitor bytea not null,              -- blind index of openid or session
    state text not null,
    primary key (institution_id, id),
    foreign key (institution_id, code_id) references campaigns.codes
);
create index on campaigns.scans (institution_id, code_id, at);
select xd.protect('campaigns.scans');
select xd.append_only('campaigns.scans');

-- 有人向您收费吗? (N15) What a person reports about a code or about nobody in particular.
create table campaigns.reports (
    institution_id text not null,
    id uuid not null,
    ticket_no text not null,
    code_id uuid,
    kind text not null check (kind in ('fee_asked', 'impersonation', 'other')),
    text_enc bytea not null,
    contact_enc bytea,
    reported_at timestamptz not null,
    answered_at timestamptz,
    primary key (institution_id, id),
    unique (institution_id, ticket_no),
    foreign key (institution_id, code_id) references campaigns.codes
);
create index on campaigns.reports (institution_id, code_id, reported_at);
select xd.protect('campaigns.reports');
