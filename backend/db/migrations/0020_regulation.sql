create schema regulation;

-- Every limit a rule-maker sets, with its dates (part D of the requirements). A rule that changes is a new row;
-- the old one keeps answering for its own days.
create table regulation.parameters (
    key text not null,
    effective_from date not null,
    effective_to date,                   -- last day in force; null: until replaced
    unit text not null check (unit in ('fen', 'rate', 'count', 'flag', 'words')),
    value jsonb not null,                -- fen and count: number; rate: text; flag: boolean; words: array of text
    enabled boolean not null default true,  -- a rule the union may use but has not opened (D1-03)
    title text not null,                 -- what a person reads
    source text not null,                -- document and article
    row_id text not null,                -- row of the requirements
    primary key (key, effective_from),
    check (effective_to is null or effective_to >= effective_from),
    check (case unit
        when 'fen' then jsonb_typeof(value) = 'number'
        when 'count' then jsonb_typeof(value) = 'number'
        when 'rate' then jsonb_typeof(value) = 'string'
        when 'flag' then jsonb_typeof(value) = 'boolean'
        else jsonb_typeof(value) = 'array' end)
);
select xd.share('regulation.parameters');

-- Two values of one key on one day would make the answer depend on row order.
create function regulation.refuse_overlap() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('regulation.parameters'), hashtext(new.key));
    if exists (
        select from regulation.parameters p
        where p.key = new.key and p.effective_from <> new.effective_from
          and daterange(p.effective_from, p.effective_to, '[]')
              && daterange(new.effective_from, new.effective_to, '[]')
    ) then
        raise exception 'regulation.parameters: % has two values on one day', new.key
            using errcode = 'exclusion_violation';
    end if;
    return new;
end $$;
create trigger refuse_overlap before insert or update on regulation.parameters
    for each row execute function regulation.refuse_overlap();

insert into regulation.parameters (key, effective_from, effective_to, unit, value, enabled, title, source, row_id)
values
-- Internet loans
('internet_consumer.cap', '2020-07-12', null, 'fen', '20000000', true,
 '单户个人互联网消费贷款授信上限', '《商业银行互联网贷款管理暂行办法》第六条', 'D1-01'),
('internet_consumer.bullet_months', '2020-07-12', null, 'count', '12', true,
 '到期一次性还本的授信期限上限（月）', '《商业银行互联网贷款管理暂行办法》第六条', 'D1-01'),
('internet_consumer.cap.temporary', '2025-03-14', null, 'fen', '30000000', false,
 '信用良好客户互联网消费贷款阶段性上限', '《关于发展消费金融助力提振消费的通知》', 'D1-03'),
('consumer.term_months.temporary', '2025-03-14', null, 'count', '84', false,
 '信用良好客户消费贷款阶段性最长期限（月）', '《关于发展消费金融助力提振消费的通知》', 'D1-03'),
('reevaluation_months', '2020-07-12', null, 'count', '12', true,
 '一年以上互联网贷款重新评估审批的间隔（月）', '《商业银行互联网贷款管理暂行办法》第六条', 'D1-02'),
('local_only.required', '2022-01-01', null, 'flag', 'true', true,
 '地方法人银行不得跨注册地辖区开展互联网贷款', '银保监办发〔2021〕24号第六条', 'D1-12'),
('purposes.forbidden', '2020-07-12', null, 'words',
 '["house_purchase", "mortgage_repayment", "shares", "bonds", "futures", "derivatives", "asset_management", "fixed_assets", "equity"]',
 true, '不得使用贷款的用途', '《商业银行互联网贷款管理暂行办法》第二十三条', 'D1-07'),
('joint_funding.partner_share', '2022-01-01', null, 'rate', '"0.30"', true,
 '单笔联合贷款中合作方出资比例下限', '银保监办发〔2021〕24号第二条', 'D1-11'),
('joint_funding.partner_concentration', '2022-01-01', null, 'rate', '"0.25"', true,
 '与单一合作方联合贷款余额占一级资本净额上限', '银保监办发〔2021〕24号第三条', 'D1-11'),
('joint_funding.balance_share', '2022-01-01', null, 'rate', '"0.50"', true,
 '联合贷款余额占全部贷款余额上限', '银保监办发〔2021〕24号第四条', 'D1-11'),
-- Personal loans, cost and disclosure
('all_in_cost.cap', '2025-10-01', null, 'rate', '"0.24"', true,
 '年化综合融资成本上限', '金规〔2025〕9号', 'D2-04'),
('consumer.term_months', '2024-07-01', null, 'count', '60', true,
 '个人消费贷款最长期限（月）', '《个人贷款管理办法》（2024年第3号令）', 'D2-05'),
('business.term_months.usual', '2024-07-01', null, 'count', '60', true,
 '个人经营贷款一般最长期限（月）', '《个人贷款管理办法》（2024年第3号令）', 'D2-05'),
('business.term_months', '2024-07-01', null, 'count', '120', true,
 '个人经营贷款最长期限（月）', '《个人贷款管理办法》（2024年第3号令）', 'D2-05'),
('on_site.skip_amount', '2024-07-01', null, 'fen', '20000000', true,
 '信息可核实时可简化或不作现场调查的金额上限', '《个人贷款管理办法》（2024年第3号令）', 'D2-06'),
('entrusted.business', '2024-07-01', null, 'fen', '50000000', true,
 '经营用途超过此额一般采用受托支付', '《个人贷款管理办法》（2024年第3号令）', 'D2-08'),
('entrusted.consumer', '2024-07-01', null, 'fen', '30000000', true,
 '消费用途超过此额一般采用受托支付', '《个人贷款管理办法》（2024年第3号令）', 'D2-08'),
('disclosure.required', '2026-08-01', null, 'flag', 'true', true,
 '签约前必须展示综合融资成本明示表', '金规〔2026〕2号', 'D2-09'),
('disclosure.reading_seconds', '2026-08-01', null, 'count', '15', true,
 '明示表强制阅读时间（秒，本系统取值）', '金规〔2026〕2号', 'D2-09'),
('lpr.1y', '2025-05-20', null, 'rate', '"0.030"', true,
 '一年期贷款市场报价利率', '全国银行间同业拆借中心 2025-05-20 公布；投产前由合规岗更新', 'A6-04'),
('lpr.5y', '2025-05-20', null, 'rate', '"0.035"', true,
 '五年期以上贷款市场报价利率', '全国银行间同业拆借中心 2025-05-20 公布；投产前由合规岗更新', 'A6-04'),
-- People and consents
('age.minimum', '2021-11-01', null, 'count', '18', true,
 '借款人最低年龄（周岁）', '《未成年人保护法》；本联社准入', 'D6-02'),
('age.guardian', '2021-11-01', null, 'count', '14', true,
 '处理个人信息须监护人同意的年龄（周岁以下）', '《个人信息保护法》第三十一条', 'D3-05'),
('age.maximum', '2021-11-01', null, 'count', '65', true,
 '借款人最高年龄（周岁，本联社取值）', '本联社准入', 'A6-02'),
('bureau_consent.valid_days', '2013-03-15', null, 'count', '30', true,
 '征信查询授权有效期（天，本系统取值，越短越好）', '《征信业管理条例》第十八条', 'D3-09'),
('identity_check.valid_days', '2021-11-01', null, 'count', '90', true,
 '联网核查结果可沿用的天数', '本联社取值', 'A5-02'),
('human_review.working_days', '2021-11-01', null, 'count', '3', true,
 '人工复核答复时限（工作日）', '《个人信息保护法》第二十四条；本联社取值', 'D3-03'),
('complaint.working_days', '2023-03-01', null, 'count', '15', true,
 '投诉答复时限（工作日）', '《银行保险机构消费者权益保护管理办法》', 'D4-09'),
('face.filing_count', '2025-06-01', null, 'count', '100000', true,
 '人脸信息达到此人数须备案', '《人脸识别技术应用安全管理办法》', 'D3-13'),
-- Marketing
('marketing.officer_authority.required', '2026-09-30', null, 'flag', 'true', true,
 '营销人员须有资格与授权', '金融产品网络营销管理办法（八部门公告〔2026〕第9号）', 'D4-01'),
('marketing.reviewed_material.required', '2019-12-20', null, 'flag', 'true', true,
 '从业人员不得自编自发未经审核的金融营销内容', '银发〔2019〕316号', 'D4-07'),
('marketing.forbidden_words', '2026-09-30', null, 'words',
 '["低风险", "低门槛", "秒到账", "高收益", "无成本", "秒批", "必过", "低利率", "零门槛", "包过", "无视征信", "不看征信", "最低利率", "百分百通过"]',
 true, '营销文字中不得出现的说法', '金融产品网络营销管理办法第十条；本联社加列', 'D4-02'),
-- Messages and calls
('sms.gap_seconds', '2021-11-01', null, 'count', '60', true, '两次验证码的间隔（秒）', '本系统取值', 'D4-06'),
('sms.per_hour', '2021-11-01', null, 'count', '5', true, '每号码每小时验证码次数', '本系统取值', 'D4-06'),
('sms.per_day', '2021-11-01', null, 'count', '10', true, '每号码每天验证码次数', '本系统取值', 'D4-06'),
('sms.tries', '2021-11-01', null, 'count', '5', true, '每个验证码可试次数', '本系统取值', 'D4-06'),
('sms.valid_seconds', '2021-11-01', null, 'count', '300', true, '验证码有效期（秒）', '本系统取值', 'D4-06'),
('contact.quiet_from_hour', '2025-02-28', null, 'count', '22', true,
 '每日不得联系的开始时刻', 'GB/T 45251-2025', 'D5-01'),
('contact.quiet_to_hour', '2025-02-28', null, 'count', '8', true,
 '每日不得联系的结束时刻', 'GB/T 45251-2025', 'D5-01'),
('contact.calls_per_day', '2025-02-28', null, 'count', '3', true,
 '每债务人每日主动语音联系次数上限', 'GB/T 45251-2025', 'D5-02'),
-- Retention; where two rules meet the longer one wins
('retention.identity_months', '2025-01-01', null, 'count', '120', true,
 '客户身份资料：业务关系结束后保存（月）', '《反洗钱法》（2024修订）第三十四条', 'D7'),
('retention.transactions_months', '2025-01-01', null, 'count', '120', true,
 '交易记录：交易结束后保存（月）', '《反洗钱法》（2024修订）第三十四条', 'D7'),
('retention.impact_assessment_months', '2021-11-01', null, 'count', '36', true,
 '个人信息保护影响评估报告和处理情况记录（月）', '《个人信息保护法》第五十六条', 'D7'),
('retention.disclosure_months', '2023-03-01', null, 'count', '36', true,
 '信息披露与风险揭示材料（月）', '《银行保险机构消费者权益保护管理办法》', 'D7'),
('retention.collection_months', '2025-02-28', null, 'count', '60', true,
 '催收记录（月）', '参照《消费金融公司管理办法》', 'D7'),
('retention.signature_months', '2019-04-23', null, 'count', '60', true,
 '电子签名认证信息：证书失效后保存（月）', '《电子签名法》第二十四条', 'D7'),
('retention.bad_credit_months', '2013-03-15', null, 'count', '60', true,
 '征信不良信息：不良行为终止后保存（月）', '《征信业管理条例》第十六条', 'D7'),
('retention.logs_months', '2017-06-01', null, 'count', '6', true,
 '网络日志（月）', '《网络安全法》第二十一条', 'D7'),
('retention.material_months', '2026-09-30', null, 'count', '60', true,
 '营销材料与使用记录（月，本系统取值）', '金融产品网络营销管理办法第十六条', 'D7'),
('retention.raw_image_hours', '2021-11-01', null, 'count', '24', true,
 '证件原图在本系统的最长留存（小时）', '本系统取值，影像平台回执后即销毁', 'D7'),
('retention.abandoned_days', '2021-11-01', null, 'count', '90', true,
 '放弃的申请：之后删除或匿名（天）', '本系统取值', 'D7');
