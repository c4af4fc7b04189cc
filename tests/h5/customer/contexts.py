"""A context for every customer page in every state it can have; all names and figures are invented.

`PAGES` maps a state's name to (template, view). Tests render each, the look script photographs each.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from backend.web import templates
from h5.customer import views
from h5.customer.consents import GivenConsent, MyConsents
from h5.customer.notice import NoticeAsk
from tests.h5.customer import guarantee_contexts

NOW = datetime(2026, 11, 23, 6, 20, tzinfo=UTC)
TODAY = NOW.date()
PAGE = templates.Page(
    csrf_token="k7n2vQ0mJt4yXw9Bz1cRLs8fGdHpAe5U",
    form_key="0193559b-7c1e-7a42-9d55-3f0a1b2c3d4e",
    institution_name="甲县农商银行",
    service_phone="0396-655 6001",
    path="/q/demo",
)

OFFICER = views.Officer("李四", "JX0427", "柳林支行", date(2027, 6, 30), "13800000427")
LANDING = views.Landing(
    product_name="随享贷",
    institution_id="4101",
    product_code="suixiang",
    limit_max_fen=20_000_000,
    annual_rate_min=Decimal("0.0435"),
    annual_rate_max=Decimal("0.0960"),
    all_in_min=Decimal("0.0435"),
    all_in_max=Decimal("0.0960"),
    term_months_max=12,
    repayment="随借随还",
    report_url="/report?code=demo",
    code="demo",
    officer=OFFICER,
)

READ = views.Side("read")
FIELDS = (
    views.IdField("name", "姓名", "张三"),
    views.IdField("sex", "性别", "男", editable=False),
    views.IdField("id_number", "身份证号", "411701198803080010"),
    views.IdField("valid_from", "开始日期", "2019-03-08"),
    views.IdField("valid_until", "到期日期", "2039-03-08"),
    views.IdField("issuer", "签发机关", "甲县公安局"),
    views.IdField("address", "住址", "河南省甲县柳林镇垸子村12号", "“垸”字看不太清", "垸"),
)
IDENTITY = views.Identity(READ, READ, FIELDS)
GLARE = views.Side("retake", "身份证反光了，换个角度再拍一张")

CONSENTS = (
    views.Consent(
        "identity",
        "核对我的身份",
        "公安部身份信息联网核查系统",
        "核对姓名和身份证号对不对，只用于这次申请。",
        "3",
    ),
    views.Consent(
        "bureau",
        "查询我的个人征信",
        "中国人民银行征信中心",
        "看借过的钱还得怎么样，只用于这次审批，会留下一条查询记录。",
        "5",
    ),
    views.Consent(
        "data_platform",
        "查询社保、土地、补贴信息",
        "省联社大数据平台",
        "用来算额度，查得到的越多算得越准。",
        "2",
    ),
    views.Consent(
        "notices",
        "给我发新产品消息",
        "甲县农商银行",
        "每月最多一条，随时能关，不影响审批。",
        "1",
        required=False,
    ),
)
FACE = views.Consent(
    "face",
    "用人脸核对我的身份",
    "省联社统一身份认证平台",
    "只比对是不是本人，比完就删，不留照片。",
    "2",
)
CODE_SENT = views.SmsCode(sent=True, sent_to="138****0001", resend_seconds=58)
PHONE = views.Phone(CONSENTS)

DETAILS = views.Details(
    purposes=tuple(
        views.Choice(v, t)
        for v, t in [
            ("planting", "种地"),
            ("breeding", "养殖"),
            ("shop", "开店进货"),
            ("machine", "买农机"),
            ("repair", "修房装修"),
            ("living", "看病上学"),
        ]
    ),
    incomes=tuple(
        views.Choice(v, t)
        for v, t in [("1", "3 万以下"), ("2", "3–8 万"), ("3", "8–15 万"), ("4", "15 万以上")]
    ),
    villages=tuple(
        views.Choice(v, v) for v in ["柳林镇 垸子村", "柳林镇 柳林街", "垸子乡 大王庄", "颍河镇 河口村"]
    ),
    amounts=tuple(
        views.Choice(v, t)
        for v, t in [
            ("10000", "1 万"),
            ("30000", "3 万"),
            ("50000", "5 万"),
            ("100000", "10 万"),
            ("150000", "15 万"),
            ("200000", "20 万"),
        ]
    ),
    limit_max_fen=20_000_000,
    chosen={"village": "柳林镇 垸子村", "amount": "50000"},
)


def _schedule() -> tuple[views.Instalment, ...]:
    months = [date(2026 + (11 + n) // 12, (11 + n) % 12 + 1, 20) for n in range(12)]
    return tuple(views.Instalment(day, 0 if n < 11 else 5_200_000, 26_650) for n, day in enumerate(months))


OFFER = views.Offer(
    limit_fen=5_200_000,
    annual_rate=Decimal("0.0615"),
    all_in_cost=Decimal("0.0615"),
    term_months=12,
    repayment="随借随还",
    valid_until=date(2026, 12, 22),
    line_until=date(2027, 11, 22),
    example_principal_fen=1_000_000,
    example_days=30,
    example_interest_fen=5_125,
    schedule=_schedule(),
)
CHECKS = (
    views.Step("核对身份", "done"),
    views.Step("看征信", "now"),
    views.Step("看土地和补贴", "now"),
    views.Step("算额度和利率", "ahead"),
)
TALE = (
    views.Step("申请交上来", "done", NOW - timedelta(minutes=2)),
    views.Step("审批", "done", NOW - timedelta(minutes=1)),
    views.Step("手机银行签约", "now"),
    views.Step("用款", "ahead"),
)


def _tale(*labels: str) -> tuple[views.Step, ...]:
    """Everything up to the last label has happened."""
    return tuple(views.Step(label, "done", NOW - timedelta(minutes=9 - n)) for n, label in enumerate(labels))


DECIDING = views.Result("26112300081", "deciding", "随享贷", 5_000_000, CHECKS, NOW)
APPROVED = replace(
    DECIDING,
    status="approved",
    steps=TALE,
    offer=OFFER,
    reasons=(
        views.Reason("经营流水稳定，近 12 个月无逾期", "plus"),
        views.Reason("在本行存款时间较短", "minus"),
    ),
    advice="存款满 6 个月后，额度约可到 6 万元。",
)
DECLINED = replace(
    DECIDING,
    status="declined",
    reasons=(
        views.Reason("近 6 个月有 8 次贷款查询", "minus"),
        views.Reason("别处还有 3 笔贷款没还完", "minus"),
    ),
    advice="过 3 个月再试，会更有把握。这段时间少点“看看能借多少”，按时还已有的贷款。",
    nearest="半年内不再申请别的贷款后，额度约可到 2 万元。到时要重新审批，以那时的结果为准。",
    retry_on=date(2027, 2, 23),
)
REVIEW = views.Review(NOW, date(2026, 11, 26))
REFERRED = replace(
    DECIDING,
    status="referred",
    promise_at=NOW + timedelta(days=2, hours=3),
    officer=OFFICER,
    reasons=(views.Reason("想借的比能自动批的多一些", "minus"),),
    steps=(
        views.Step("申请交上来", "done", NOW),
        views.Step("人工审批", "now"),
        views.Step("手机银行签约", "ahead"),
    ),
)
HELD = replace(
    DECIDING,
    status="held",
    waiting_for="征信系统",
    promise_at=NOW.replace(hour=10, minute=0),
    steps=(
        views.Step("核对身份", "done"),
        views.Step("看征信", "stopped", note="等它恢复"),
        views.Step("算额度和利率", "ahead"),
    ),
)
DISCLOSURE = views.Disclosure(
    application_no="26112300081",
    product_name="随享贷",
    borrower="张三",
    lender="甲县农商银行",
    principal_fen=5_200_000,
    term_months=12,
    repayment="每月付息，随借随还，到期还本",
    annual_rate=Decimal("0.0615"),
    all_in_cost=Decimal("0.0615"),
    items=(
        views.CostItem(
            "利息", "按实际用款天数计算，按月收", "年化利率 6.15%（单利）", "甲县农商银行", 319_800
        ),
    ),
    contingent=(
        views.CostItem("逾期罚息", "逾期本金按逾期天数计算", "年化 9.225%", "甲县农商银行"),
        views.CostItem("违约金", "不收", "0 元", "甲县农商银行"),
    ),
    version="2026.08",
    text_hash="9f3a61c27be0",
    shown_token="eyJzaG93biI6MTc2Mzg3ODgwMH0",
    wait_seconds=10,
)
HAND_OFF = views.HandOff(
    "26112300081", 5_200_000, Decimal("0.0615"), date(2027, 11, 22), "甲县农商银行手机银行"
)
HAND_OFF_CODE = views.HandOffCode(
    "https://bank.example/h/9Q2MZKXC4T", "40825917", NOW + timedelta(seconds=120), 120
)
CONSENT_TEXT = views.ConsentText(
    "个人征信查询授权书",
    "中国人民银行征信中心",
    "5",
    date(2026, 8, 1),
    "c03f9d1e77aa",
    (
        (
            "查什么",
            (
                "本人同意甲县农商银行向中国人民银行征信中心查询本人的个人信用报告，用于审批本人这一次贷款申请。",
                "查询会在本人的信用报告里留下一条记录。",
            ),
        ),
        (
            "查到什么时候",
            ("自本人勾选之日起 30 天内有效，申请没有通过或本人撤回申请的，立即失效，甲县农商银行不再查询。",),
        ),
        (
            "怎么收回",
            (
                "在“我的申请”里点“收回授权”，或到任一网点办理。收回以前已经查过的，甲县农商银行按法律规定保存。",
            ),
        ),
    ),
    "/apply/phone",
)

NOTICE = NoticeAsk(
    application_no=DECIDING.application_no,
    moment="result",
    template_id="vAq2Zr0mVRQ5ZgqVvSg2h1dtVhXW0h3GgUe5Jm0aTtA",
    app_id="wx_sandbox_union01",
    timestamp="1764140400",
    nonce="Wm3WZYTPz0wzccnW",
    signature="0f9de62fce790f9a083d5c99e95740ceb90c27ed",
)

PAGES: dict[str, tuple[str, Struct]] = {
    "entry": (
        "customer/entry/show.html",
        views.Entry(
            (
                views.County(
                    "甲县",
                    "甲县农商银行",
                    (views.Link("随享贷", "/p/4101/SXD"), views.Link("金燕信用贷", "/p/4101/JYXY")),
                    (views.Link("柳林花木群", "/q/demo"), views.Link("朋友圈", "/q/demo2")),
                    (views.Link("存单贷", "/p/4101/CDD"), views.Link("豫农产业链贷", "/p/4101/YNCY")),
                ),
                views.County("乙县", "乙县农商银行", (views.Link("随享贷", "/p/4102/SXD"),)),
            )
        ),
    ),
    "at-branch": (
        "customer/stop/at_branch.html",
        views.AtBranch("柳林支行", "柳林镇解放路 18 号", "周一到周日 8:30–17:00", "RG26112300001"),
    ),
    "landing-guaranteed": (
        "customer/landing/show.html",
        replace(LANDING, product_name="乡邻贷", guarantors=1),
    ),
    "landing": ("customer/landing/show.html", LANDING),
    "landing-official": ("customer/landing/show.html", replace(LANDING, officer=None, code="")),
    "landing-at-branch": (
        "customer/landing/show.html",
        replace(LANDING, online=False, officer=None, code=""),
    ),
    "renewal": ("customer/renewal/show.html", views.Renewal(CONSENTS[1:2])),
    "landing-unfinished": ("customer/landing/show.html", replace(LANDING, unfinished_url="/apply/phone")),
    "code-expired": (
        "customer/landing/closed_code.html",
        views.ClosedCode("expired", "/report?code=x", "/p/4101/suixiang", date(2026, 6, 30)),
    ),
    "code-revoked": (
        "customer/landing/closed_code.html",
        views.ClosedCode("revoked", "/report?code=x", "/p/4101/suixiang"),
    ),
    "code-forged": ("customer/landing/closed_code.html", views.ClosedCode("forged", "/report?code=x")),
    "code-frozen": (
        "customer/landing/closed_code.html",
        views.ClosedCode("frozen", "/report?code=x", "/p/4101/suixiang"),
    ),
    "identity": ("customer/identity/show.html", views.Identity()),
    "identity-retake": ("customer/identity/show.html", views.Identity(GLARE, READ)),
    "identity-fields": ("customer/identity/show.html", IDENTITY),
    "identity-error": (
        "customer/identity/show.html",
        replace(
            IDENTITY,
            error="有一项要改一下",
            fields=(
                FIELDS[0],
                replace(
                    FIELDS[2], value="41170119880308001", error="身份证号是 18 位，现在是 17 位，请对着证件改"
                ),
            ),
        ),
    ),
    "phone": ("customer/phone/show.html", PHONE),
    "phone-code": ("customer/phone/show.html", replace(PHONE, phone="13800000001", sms=CODE_SENT)),
    "phone-error": (
        "customer/phone/show.html",
        replace(
            PHONE,
            phone="13800000001",
            sms=replace(CODE_SENT, error="验证码不对，还可以再试 3 次", resend_seconds=0),
            consents=(
                replace(CONSENTS[0], ticked=True),
                replace(CONSENTS[1], error="没有这项授权，网上审批办不了；不同意也可以到网点办"),
            ),
        ),
    ),
    "consent-text": ("customer/consents/show.html", CONSENT_TEXT),
    "consents-mine": (
        "customer/consents/mine.html",
        MyConsents(
            "26112300081",
            (
                GivenConsent(
                    "bureau",
                    "查询我的个人征信",
                    "中国人民银行征信中心",
                    "5",
                    NOW,
                    "收回以后，这笔申请就不再审批。",
                ),
                GivenConsent(
                    "notices",
                    "给我发新产品消息",
                    "甲县农商银行",
                    "1",
                    NOW,
                    withdrawn_at=NOW + timedelta(minutes=5),
                ),
                GivenConsent(
                    "identity",
                    "核对我的身份",
                    "公安部身份信息联网核查系统",
                    "3",
                    NOW,
                    "已经用完了，不会再查。",
                    withdrawable=False,
                ),
            ),
            True,
            3,
        ),
    ),
    "consents-none": ("customer/consents/mine.html", MyConsents("26112300081", ())),
    "consents-silent": ("customer/consents/mine.html", MyConsents("26112300081", (), False, 3)),
    "liveness": ("customer/liveness/show.html", views.Liveness("省联社统一身份认证平台", FACE)),
    "liveness-failed": (
        "customer/liveness/show.html",
        views.Liveness(
            "省联社统一身份认证平台", FACE, "failed", "光线有点暗，没看清。到亮一点的地方，还可以再试 2 次"
        ),
    ),
    "liveness-down": (
        "customer/liveness/show.html",
        views.Liveness(
            "省联社统一身份认证平台",
            FACE,
            "down",
            "人脸核对暂时连不上，您填的都在。可以等一会儿再试，也可以换一种方式",
        ),
    ),
    "other-way": (
        "customer/liveness/other_way.html",
        views.OtherWay("柳林支行", "柳林镇解放路 18 号", "周一到周日 8:30–17:00", OFFICER),
    ),
    "other-way-unconsented": (
        "customer/liveness/other_way.html",
        views.OtherWay("柳林支行", "柳林镇解放路 18 号", "周一到周日 8:30–17:00", OFFICER, unconsented=True),
    ),
    "details": ("customer/details/show.html", DETAILS),
    "details-error": (
        "customer/details/show.html",
        replace(DETAILS, errors={"purpose": "请选一项用途", "village": "请选住在哪个村"}, chosen={}),
    ),
    "deciding": ("customer/result/show.html", DECIDING),
    "deciding-asks": ("customer/result/show.html", replace(DECIDING, moment="result", asks_notice=True)),
    "held": ("customer/result/show.html", HELD),
    "referred": ("customer/result/show.html", REFERRED),
    "approved": ("customer/result/show.html", APPROVED),
    "declined": ("customer/result/show.html", DECLINED),
    "declined-review": ("customer/result/show.html", replace(DECLINED, review=REVIEW)),
    "handed-off": ("customer/result/show.html", replace(APPROVED, status="handed_off")),
    "signed": (
        "customer/result/show.html",
        replace(
            APPROVED,
            status="signed",
            steps=(
                *_tale("申请交上来", "审批", "签约"),
                views.Step("用款", "now"),
                views.Step("还款", "ahead"),
            ),
        ),
    ),
    "drawn": (
        "customer/result/show.html",
        replace(
            APPROVED,
            status="drawn",
            steps=(*_tale("申请交上来", "审批", "签约", "用款"), views.Step("还款", "now")),
        ),
    ),
    "repaid": (
        "customer/result/show.html",
        replace(APPROVED, status="repaid", steps=_tale("申请交上来", "审批", "签约", "用款", "还清")),
    ),
    "expired": (
        "customer/result/show.html",
        replace(
            APPROVED,
            status="expired",
            steps=(*_tale("申请交上来", "审批"), views.Step("额度到期", "stopped", NOW)),
        ),
    ),
    "cancelled": (
        "customer/result/show.html",
        replace(
            APPROVED,
            status="cancelled",
            steps=(*_tale("申请交上来", "审批"), views.Step("撤回", "stopped", NOW)),
        ),
    ),
    "decided-anew": (
        "customer/result/show.html",
        replace(
            APPROVED,
            status="cancelled",
            offer=None,
            goes_on="261128000124",
            steps=(*_tale("申请交上来"), views.Step("撤回", "stopped", NOW)),
        ),
    ),
    "abandoned": (
        "customer/result/show.html",
        replace(
            APPROVED,
            status="abandoned",
            offer=None,
            steps=(
                *_tale("拍身份证", "手机号"),
                views.Step("借款用途", "stopped"),
                views.Step("交上去", "ahead"),
            ),
        ),
    ),
    "disclosure": ("customer/disclosure/show.html", DISCLOSURE),
    "disclosure-early": (
        "customer/disclosure/show.html",
        replace(DISCLOSURE, early=True, wait_seconds=6),
    ),
    "disclosure-confirmed": (
        "customer/disclosure/show.html",
        replace(DISCLOSURE, wait_seconds=0, confirmed_at=NOW),
    ),
    "hand-off": ("customer/handoff/show.html", HAND_OFF),
    "hand-off-signed": ("customer/handoff/show.html", replace(HAND_OFF, signed=True)),
    "hand-off-code": ("customer/handoff/show.html", replace(HAND_OFF, code=HAND_OFF_CODE)),
    "review-request": (
        "customer/review/show.html",
        views.ReviewRequest(
            "26112300081",
            (
                views.Choice("wrong", "信息不对", "不是我的，或已还清"),
                views.Choice("missing", "有收入没算上", "土地、养殖、打工"),
                views.Choice("other", "别的"),
            ),
            3,
        ),
    ),
    "resume": ("customer/resume/show.html", views.Resume()),
    "resume-code": ("customer/resume/show.html", views.Resume(CODE_SENT, "13800000001")),
    "report": (
        "customer/report/show.html",
        views.Report(
            (
                views.Choice("asked", "要我交钱", "还没给"),
                views.Choice("paid", "已经交了"),
                views.Choice("stranger", "不是本行的人"),
                views.Choice("other", "别的"),
            ),
            OFFICER,
            "demo",
        ),
    ),
    "reported": ("customer/report/thanks.html", views.Reported("JB26112300017", date(2026, 11, 30))),
    "under-age": ("customer/stop/under_age.html", views.UnderAge(date(2029, 3, 8))),
    "child": ("customer/stop/under_age.html", views.UnderAge(date(2037, 3, 8), child=True)),
    "outside": ("customer/stop/outside.html", views.Outside("甲县、乙县、丙县")),
    "open-elsewhere": ("customer/stop/open_elsewhere.html", views.OpenElsewhere("乙县", "乙县农商银行")),
    "not-yours": ("customer/stop/not_yours.html", views.NotYours("")),
    "not-yours-own": ("customer/stop/not_yours.html", views.NotYours("/my/26112300081")),
    "product-ended": ("customer/stop/product_ended.html", views.ProductEnded()),
    "offer-expired": ("customer/stop/offer_expired.html", views.OfferExpired(TODAY, "/p/4101/SXD")),
    "given-up": ("customer/stop/given_up.html", views.GivenUp("/p/4101/SXD")),
    "expired-card": (
        "customer/stop/expired_card.html",
        views.ExpiredCard(date(2025, 3, 8), date(2027, 2, 21)),
    ),
    "contradicting-card": (
        "customer/stop/contradicting_card.html",
        views.ContradictingCard("身份证号里的生日是 1988年3月8日，印的是 1983年3月8日"),
    ),
    "elsewhere": (
        "customer/stop/elsewhere.html",
        views.Elsewhere("乙县", "乙县农商银行", "/p/4102/suixiang"),
    ),
    "open-application": (
        "customer/stop/open_application.html",
        views.OpenApplication("26112300081", "随享贷", NOW, "/my/26112300081"),
    ),
    "others-phone": ("customer/stop/others_phone.html", views.OthersPhone("138****0001")),
    "student": ("customer/stop/student.html", views.Student("0396-655 6001")),
    "error-404": (
        "shared/error.html",
        templates.ErrorView(
            404, "没有这一页", "地址可能不全，请重新扫码，或从公众号菜单进来。", "找回我的申请", "/resume"
        ),
    ),
    "error-403": (
        "shared/error.html",
        templates.ErrorView(
            403,
            "这一页放得太久了",
            "为了您的安全，请回到刚才那一步再点一次。填过的内容都在。",
            "接着办",
            "/resume",
        ),
    ),
    "error-409": (
        "shared/error.html",
        templates.ErrorView(
            409, "这一步已经办过了", "可能在另一台手机上办了，或点了两次。没有重复提交。", "看进度", "/resume"
        ),
    ),
    "error-429": (
        "shared/error.html",
        templates.ErrorView(429, "请歇一会儿", "这个手机号今天要的验证码太多了，明天 8 点以后再试。", "", ""),
    ),
    "error-500": (
        "shared/error.html",
        templates.ErrorView(
            500,
            "这一步没办成",
            "是我们这边的问题，不是您填错了。填过的内容都在，请过几分钟再试。",
            "再试一次",
            "/resume",
            "0193559b7c1e",
        ),
    ),
    "error-503": (
        "shared/error.html",
        templates.ErrorView(
            503,
            "暂时办不了",
            "系统正在维护，最迟今天 18:00 恢复。填过的内容都在，到时接着办就行。",
            "再试一次",
            "/resume",
        ),
    ),
}

PAGES |= guarantee_contexts.pages(NOW, IDENTITY, PHONE, views.Liveness("省联社统一身份认证平台", FACE))
PAGES["approved-guarantors"] = ("customer/result/show.html", replace(APPROVED, guarantors_missing=1))

# Parts that are swapped in on their own; their views carry what `_code.html` is told by the page around it.
PARTS: dict[str, tuple[str, Struct, dict[str, object]]] = {
    "capture": ("customer/identity/_capture.html", IDENTITY, {}),
    "code": ("customer/phone/_code.html", replace(PHONE, sms=CODE_SENT), {"send_code_url": "/apply/phone"}),
    "consent-text": ("customer/consents/_text.html", CONSENT_TEXT, {}),
    "status": ("customer/result/_status.html", DECIDING, {}),
    "notice": ("customer/result/_notice.html", NOTICE, {}),
    "sheet": ("customer/disclosure/_sheet.html", DISCLOSURE, {}),
    "hand-off-code": ("customer/handoff/_code.html", replace(HAND_OFF, code=HAND_OFF_CODE), {}),
    "error": ("shared/_error.html", PAGES["error-500"][1], {}),
}
