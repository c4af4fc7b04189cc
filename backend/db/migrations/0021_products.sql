create schema products;

-- 品牌 → 系列 → 产品 → 县行子产品 (A8-01). Public offers of the whole union, no customer data.
create table products.brands (
    code text primary key,
    name text not null,
    audience text not null check (audience in ('personal', 'enterprise')),
    position integer not null
);
select xd.share('products.brands');

-- A series is told apart by its three axes (A8-23).
create table products.series (
    code text primary key,
    brand_code text not null references products.brands,
    name text not null,
    other_names text[] not null default '{}',   -- 便捷贷/快捷贷 (A12-1)
    target_customers text not null check (target_customers <> ''),
    data_source text not null check (data_source <> ''),
    risk_mitigation text not null check (risk_mitigation <> ''),
    position integer not null
);
select xd.share('products.series');

-- `institution_id` '*' is the union's own product; a county's sub-product names its parent.
create table products.products (
    institution_id text not null,
    code text not null,
    series_code text not null references products.series,
    parent_code text,
    name text not null,
    other_names text[] not null default '{}',
    created_at timestamptz not null,
    primary key (institution_id, code),
    unique (code),                       -- a code names one product in the whole union
    check ((institution_id = '*') = (parent_code is null))
);
select xd.share('products.products', writable => true);

-- What a version says; never changed once written.
create table products.versions (
    institution_id text not null,
    code text not null,
    version integer not null check (version > 0),
    content jsonb not null,              -- Terms of a product, Overrides of a sub-product
    maker text not null,
    made_at timestamptz not null,
    primary key (institution_id, code, version),
    unique (institution_id, code, version, maker),
    foreign key (institution_id, code) references products.products
);
select xd.share('products.versions', writable => true);
select xd.append_only('products.versions');

-- From which day which version is on offer; version null: nothing is (withdrawn).
create table products.publications (
    institution_id text not null,
    code text not null,
    effective_from date not null,
    seq integer not null,                -- a later decision for the same day wins
    version integer,
    maker text,
    checker text not null,
    reason text not null,
    published_at timestamptz not null,
    primary key (institution_id, code, effective_from, seq),
    foreign key (institution_id, code) references products.products,
    foreign key (institution_id, code, version, maker)
        references products.versions (institution_id, code, version, maker),
    check ((version is null) = (maker is null)),
    check (checker <> maker)             -- four eyes
);
select xd.share('products.publications', writable => true);
select xd.append_only('products.publications');

-- Everybody reads offers; a county writes its own, head office ('0000') the union's ('*').
create function products.guard(target regclass) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy everybody_reads on %s for select using (true)', target);
    execute format('create policy owner_adds on %s for insert with check ('
        'institution_id = xd.institution() or (institution_id = ''*'' and xd.institution() = ''0000''))', target);
end $$;
select products.guard('products.products');
select products.guard('products.versions');
select products.guard('products.publications');

-- Which of the union's products a county offers, since when (staged go-live, A1-03).
create table products.openings (
    institution_id text not null,
    product_code text not null,
    opened_on date not null,
    closed_on date,                      -- first day it is no longer offered
    primary key (institution_id, product_code, opened_on),
    check (closed_on is null or closed_on > opened_on)
);
select xd.protect('products.openings');
