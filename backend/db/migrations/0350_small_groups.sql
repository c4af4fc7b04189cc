-- How few customers a figure of a trial may be of (D3-07): below, it is not said, and above it is rounded to as many.
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('trials.fewest', '2021-11-01', null, 'count', '5', true,
 '试算结果里，一个数字最少要是几个客户的才显示', '《个人信息保护法》第五十一条（去标识化）；本联社取值', 'D3-07');

-- Sums of a number each case has, by outcome: the same people are rounded the same way, whoever counts them, and one
-- person more is rounded anew.
alter table trials.results
    add column approved_mark bigint not null default 0,
    add column referred_mark bigint not null default 0,
    add column declined_mark bigint not null default 0;
