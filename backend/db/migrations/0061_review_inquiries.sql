-- 退回核实: a reviewer asks the officer something about a case. While one is open the officer has the ball; the clock
-- of the review goes on (D3-03), so the customer does not wait longer for it.
create table reviews.inquiries (
    institution_id text not null,
    id uuid not null,
    review_id uuid not null,
    officer_id uuid not null,
    asked bytea not null,                -- sealed: what the reviewer wants to know
    asked_by text not null,
    asked_at timestamptz not null,
    answer bytea,                        -- sealed: what the officer found
    answered_at timestamptz,
    primary key (institution_id, id),
    foreign key (institution_id, review_id) references reviews.reviews,
    foreign key (institution_id, officer_id) references identity.staff,
    check ((answer is null) = (answered_at is null))
);
create unique index one_open_inquiry on reviews.inquiries (institution_id, review_id) where answered_at is null;
create index on reviews.inquiries (institution_id, officer_id) where answered_at is null;
select xd.protect('reviews.inquiries');
