-- 冻结: one person freezes a customer at once, because it protects; two people release them.
create table customers.freezes (
    institution_id text not null,
    id uuid not null,
    customer_id uuid not null,
    reason bytea not null,               -- sealed: why, emptied with the person
    frozen_by text not null,
    frozen_at timestamptz not null,
    release_why bytea,                   -- sealed: why it may end, while somebody asks for it and afterwards
    release_asked_by text,
    release_asked_at timestamptz,
    released_by text,
    released_at timestamptz,
    primary key (institution_id, id),
    foreign key (institution_id, customer_id) references customers.people,
    check (num_nonnulls(release_why, release_asked_by, release_asked_at) in (0, 3)),
    check (num_nonnulls(released_by, released_at) in (0, 2)),
    check (released_by is null or release_asked_by is not null and released_by <> release_asked_by)
);
create unique index one_freeze on customers.freezes (institution_id, customer_id) where released_at is null;
create index freezes_of_person on customers.freezes (institution_id, customer_id, frozen_at);
select xd.protect('customers.freezes');
select xd.sign('customers.freezes', 'who', 'frozen_by', 'release_asked_by', 'released_by');
