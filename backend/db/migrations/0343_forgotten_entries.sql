-- A line of a list is forgotten some time after it last counted: who was on it is then nobody's business any more (D7).
insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
('retention.list_days', '2021-11-01', null, 'count', '180', true,
 '名单上的一条：过了最后一天或撤下以后删除（天）', '《个人信息保护法》第十九条、第四十七条；本联社取值', 'D7');

alter table relations.list_entries add column forgotten_at timestamptz;
create index list_entries_to_forget on relations.list_entries (expires_on) where forgotten_at is null;
