-- 营销触达: one row each time somebody of ours set out to win a person, after the marketing gate let them (A3-25, D4-08).
create table campaigns.touches (
    institution_id text not null,
    id uuid not null,
    customer_id uuid not null,
    application_id uuid,                 -- the lead it was about
    kind text not null check (kind in ('call')),
    assessment_id uuid not null,         -- what the gate said
    by_whom text not null,
    at timestamptz not null,
    primary key (institution_id, id),
    foreign key (institution_id, assessment_id) references decision.assessments
);
create index on campaigns.touches (institution_id, customer_id, at);
select xd.protect('campaigns.touches');
select xd.append_only('campaigns.touches');

insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('marketing.touches_30d', '2026-09-30', null, 'count', '4', true,
 '30 天内对同一客户营销触达的次数上限（本联社取值）', '金融产品网络营销管理办法；平台规则', 'D4-08');
