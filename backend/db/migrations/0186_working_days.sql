-- 节假日 (D3-03, D2-07, D4-09): a promise in working days is counted by the State Council's days off and make-up days. A year
-- whose notice nobody has put in is counted Monday to Friday, and staff are told so.
create table regulation.calendar_years (
    year integer primary key check (year between 2020 and 2100),
    source text not null,
    set_by text not null,
    set_at timestamptz not null
);
create table regulation.calendar_days (
    day date primary key,
    year integer not null references regulation.calendar_years,
    kind text not null check (kind in ('holiday', 'workday')),
    title text not null,
    check (extract(year from day) = year),
    check (kind = 'holiday' or extract(isodow from day) in (6, 7))
);
select xd.share('regulation.calendar_years', true);
select xd.share('regulation.calendar_days', true);
revoke delete on regulation.calendar_years from xiaodai_app;

insert into regulation.calendar_years values
    (2026, '《国务院办公厅关于2026年部分节假日安排的通知》（国办发明电〔2025〕7号）', 'system:migration', '2026-01-01');
insert into regulation.calendar_days (day, year, kind, title)
select d::date, 2026, 'holiday', title from (values
    ('元旦', '2026-01-01', '2026-01-03'), ('春节', '2026-02-15', '2026-02-23'), ('清明节', '2026-04-04', '2026-04-06'),
    ('劳动节', '2026-05-01', '2026-05-05'), ('端午节', '2026-06-19', '2026-06-21'), ('中秋节', '2026-09-25', '2026-09-27'),
    ('国庆节', '2026-10-01', '2026-10-07')
) as h (title, first, last), generate_series(first::date, last::date, '1 day') as d;
insert into regulation.calendar_days (day, year, kind, title) values
    ('2026-01-04', 2026, 'workday', '元旦调休'), ('2026-02-14', 2026, 'workday', '春节调休'),
    ('2026-02-28', 2026, 'workday', '春节调休'), ('2026-05-09', 2026, 'workday', '劳动节调休'),
    ('2026-09-20', 2026, 'workday', '国庆节调休'), ('2026-10-10', 2026, 'workday', '国庆节调休');

-- 另一个模型不同意 (D2-07): which share of the automatic approvals that a shadow would not have given is looked at again.
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('recheck.challenger_share', '2024-07-01', null, 'rate', '"1"', true,
 '影子模型结论不同的自动通过业务由人工抽查的比例（本联社取值）',
 '《个人贷款管理办法》（2024年第3号令）：自动化审批须有人工复审验证', 'D2-07');
