-- When an early warning counts as come true: so many days past due, reached within so many days after it (A6-06).
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('warning.true_within_days', '2024-07-01', null, 'count', '90', true,
 '预警之后多少天内逾期算预警成真（本联社取值）', '《个人贷款管理办法》（2024年第3号令）：贷后管理', 'A6-06'),
('warning.true_days_past_due', '2024-07-01', null, 'count', '30', true,
 '逾期达到多少天算预警成真（本联社取值）', '《个人贷款管理办法》（2024年第3号令）：贷后管理', 'A6-06');
