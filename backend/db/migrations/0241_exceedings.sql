-- 超上限: a reviewer who wishes to grant more than a cap of the decision says why, and a second reviewer looks (A6-03,
-- A7-05). The review stays open until then; what was exceeded stays beside it for good.
create table reviews.exceedings (
    institution_id text not null,
    id uuid not null,
    review_id uuid not null,
    status text not null default 'proposed', -- proposed -> confirmed, refused by another; taken_back by its maker
    outcome text not null check (outcome in ('approved', 'granted')),
    amount numeric(18, 2) not null,
    annual_rate numeric(9, 6) not null,
    term_months integer not null,
    reason text not null,                -- what the customer reads once it is confirmed
    exceeded bytea not null,             -- sealed: the caps it is above, [{cap, label, amount_fen}]
    why bytea not null,                  -- sealed: why more than the caps
    maker text not null,
    proposed_at timestamptz not null,
    checker text,
    found bytea,                         -- sealed: what the second person wrote
    checked_at timestamptz,
    primary key (institution_id, id),
    foreign key (institution_id, review_id) references reviews.reviews,
    check ((status = 'proposed') = (checker is null) and (checker is null) = (checked_at is null)
           and (checker is null) = (found is null)),
    check (checker is null or (checker = maker) = (status = 'taken_back'))
);
create unique index one_proposed_exceeding on reviews.exceedings (institution_id, review_id)
    where status = 'proposed';
create index on reviews.exceedings (institution_id, review_id);
select xd.protect('reviews.exceedings');

insert into xd.lifecycle (name, from_status, to_status) values
    ('exceeding', 'proposed', 'confirmed'), ('exceeding', 'proposed', 'refused'),
    ('exceeding', 'proposed', 'taken_back');
select xd.obey_lifecycle('reviews.exceedings', 'exceeding');
