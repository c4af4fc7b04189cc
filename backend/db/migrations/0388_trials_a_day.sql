-- How often a day an institution may try on real customers: each trial is rounded by its own secret draw, and whoever
-- could make hundreds of them would average the draws away.
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('trials.a_day', '2021-11-01', null, 'count', '20', true,
 '一家机构一天最多在真实客户上试算几次', '《个人信息保护法》第五十一条（去标识化）；本联社取值', 'D3-07');
