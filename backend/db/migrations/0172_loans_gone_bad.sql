-- From how many days past due a loan counts as bad when a model's discrimination is measured (A3-37, D1-05).
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('loans.bad_after_days', '2023-07-01', null, 'count', '90', true,
 '逾期超过多少天的贷款算坏的（不良）', '《商业银行金融资产风险分类办法》（2023年第1号令）：逾期超过90天至少归为次级', 'D1-05');
