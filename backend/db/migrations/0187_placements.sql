-- 反中介哨兵 (N15): what is unusual at one placement stops that placement alone, until a person has looked.
create table campaigns.placement_limits (
    placement text not null,
    pattern text not null check (pattern in ('burst', 'copied', 'out_of_area', 'helper', 'fee')),
    minutes integer not null check (minutes > 0),   -- how far back is looked
    most integer not null check (most >= 0),        -- more than this stops it
    primary key (placement, pattern)
);
select xd.share('campaigns.placement_limits');

-- The union's own values: what a place can hold. A group has at most 500 people at a time, a visit is made to one
-- household.
insert into campaigns.placement_limits (placement, pattern, minutes, most)
select placement, 'burst', 60, most from (values ('moments', 500), ('group', 400), ('print', 60), ('counter', 60),
    ('sms', 500), ('menu', 1000), ('visit', 15)) as v (placement, most)
union all
select placement, 'copied', 43200, most from (values ('moments', 5000), ('group', 1000), ('print', 1500), ('counter', 3000),
    ('visit', 100)) as v (placement, most)
union all
select placement, 'out_of_area', 10080, 9 from (values ('moments'), ('group'), ('print'), ('counter'), ('sms'), ('visit'))
    as v (placement)
union all
select placement, 'helper', 10080, 1 from (values ('moments'), ('group'), ('print'), ('counter'), ('sms'), ('visit'))
    as v (placement)
union all
select placement, 'fee', 43200, 1 from (values ('moments'), ('group'), ('print'), ('counter'), ('sms'), ('menu'), ('visit'))
    as v (placement);

-- Somebody from elsewhere, or whom one pair of hands applied for with others, came by this code.
create table campaigns.signals (
    institution_id text not null,
    id uuid not null,
    code_id uuid not null,
    kind text not null check (kind in ('out_of_area', 'helper')),
    subject bytea not null,              -- blind index of the case: one case counts once
    at timestamptz not null,
    primary key (institution_id, id),
    unique (institution_id, code_id, kind, subject),
    foreign key (institution_id, code_id) references campaigns.codes
);
create index on campaigns.signals (institution_id, code_id, kind, at);
select xd.protect('campaigns.signals');
select xd.append_only('campaigns.signals');

alter table campaigns.codes add column released_at timestamptz;  -- what was before does not count again
alter table campaigns.reports add column teller bytea;           -- blind index of the browser: one counts once

-- Each stop and how it ended.
create table campaigns.freezes (
    institution_id text not null,
    id uuid not null,
    code_id uuid not null,
    pattern text not null,
    counted integer not null,
    most integer not null,
    minutes integer not null,
    frozen_at timestamptz not null,
    released_by uuid,
    released_at timestamptz,
    reason text,
    primary key (institution_id, id),
    foreign key (institution_id, code_id) references campaigns.codes,
    check ((released_by is null) = (released_at is null) and (released_by is null) = (reason is null))
);
create unique index on campaigns.freezes (institution_id, code_id) where released_at is null;
select xd.protect('campaigns.freezes');
