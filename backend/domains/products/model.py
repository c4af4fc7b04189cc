"""What a loan product says (产品条款), and the tree it hangs in: brand → series → product → sub-product."""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted
from backend.core.money import DayCount, RepaymentMethod

__all__ = ["DayCount", "RepaymentMethod"]

UNION = "*"
"""Owner of a product that belongs to the whole union."""

PURPOSES: dict[str, str] = {
    "decoration": "房屋装修",
    "appliance": "家电家具",
    "education": "子女教育",
    "medical": "看病就医",
    "travel": "旅游",
    "vehicle": "购代步车",
    "farm_living": "农村日常生活",
    "planting": "种植",
    "breeding": "养殖",
    "shop": "开店经营",
    "stock": "进货备货",
    "equipment": "购农机设备",
    "salary": "发放工资",
    "supplier": "支付供应商货款",
    "house_purchase": "购房",
    "mortgage_repayment": "偿还住房贷款",
    "shares": "炒股",
    "bonds": "买债券",
    "futures": "期货",
    "derivatives": "金融衍生品",
    "asset_management": "买理财",
    "fixed_assets": "固定资产投资",
    "equity": "股权投资",
}
"""贷款用途. The last nine exist to be refused (D1-07)."""

RISK_MITIGATIONS: dict[str, str] = {
    "credit": "信用",
    "pledge": "质押",
    "surety": "保证",
    "mortgage": "抵押",
}

DATA_SOURCES: dict[str, str] = {
    "financial_assets": "金融资产",
    "settlement": "账户结算",
    "turnover": "经营流水",
    "payroll": "代发工资",
    "housing_fund": "公积金",
    "social_security": "社保",
    "deposits": "存单、定期与理财",
    "survey": "线下调查采集",
    "orders": "订单、物流与资金流",
    "mortgage_record": "房贷记录",
    "pos": "POS 交易",
    "tax": "纳税",
    "core_enterprise": "核心企业 ERP",
    "credit_bureau": "征信",
}

Audience = Literal["personal", "enterprise"]
Mode = Literal["pure_online", "online_offline"]
PurposeClass = Literal["consumer", "business"]


class Repayment(msgspec.Struct, frozen=True, kw_only=True):
    """A method and the terms in months it is offered for."""

    method: RepaymentMethod
    months: tuple[int, ...]


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """A cost beside interest. `rate` is a share of the principal, taken at the start."""

    code: str
    name: str
    rate: Decimal
    payer: Literal["borrower", "bank"]
    payee: str


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about the product; counties may word their own."""

    tagline: str
    audience: str
    steps: str
    risk: str


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a version fixes. Amounts in fen, rates per year, ages in full years.

    The three axes of A8-23 are `target_customers`, `data_sources` and `risk_mitigation`. `guarantors` is how many
    people must confirm that they answer for the line before it is handed over (A1-08).
    """

    audience: Audience
    target_customers: str
    data_sources: tuple[str, ...]
    risk_mitigation: tuple[str, ...]
    mode: Mode
    judgement: Literal["model", "offline"]
    pledge_appraisal: Literal["none", "online", "offline"]
    purpose_class: PurposeClass
    purposes: tuple[str, ...]
    amount_min: int
    amount_max: int
    repayments: tuple[Repayment, ...]
    rate_min: Decimal
    rate_max: Decimal
    day_count: DayCount
    overdue_factor: Decimal
    misuse_factor: Decimal
    age_min: int
    age_max: int
    texts: Texts
    guarantors: int = 0
    fees: tuple[Fee, ...] = ()
    required_features: tuple[str, ...] = ()
    opened_fields: tuple[str, ...] = ()

    @property
    def is_internet_loan(self) -> bool:
        """Loans judged offline and pledges appraised offline are outside the 《办法》 (D1-06)."""
        return self.judgement == "model" and self.pledge_appraisal != "offline"

    @property
    def online_road(self) -> bool:
        """Whether a person can apply on the phone today: personal, judged by model, on credit alone or with
        guarantors whom the applicant asks by link.

        Pledges, partners' orders, enterprises and features the decision does not ask for yet are dealt with at
        the branch: the pages say so and no draft is made.
        """
        on_credit = self.risk_mitigation == ("credit",)
        by_link = self.guarantors > 0 and set(self.risk_mitigation) <= {"credit", "surety"}
        here = (on_credit or by_link) and not self.required_features
        return self.audience == "personal" and self.mode == "pure_online" and here

    @property
    def months(self) -> tuple[int, ...]:
        return tuple(sorted({m for r in self.repayments for m in r.months}))

    @property
    def methods(self) -> tuple[RepaymentMethod, ...]:
        return tuple(r.method for r in self.repayments)

    def terms_of(self, method: RepaymentMethod) -> tuple[int, ...]:
        """Terms in months offered with a method; empty when the method is not offered."""
        return next((r.months for r in self.repayments if r.method == method), ())


class Overrides(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a county sub-product sets for itself; None leaves the parent's value."""

    target_customers: str | None = None
    purposes: tuple[str, ...] | None = None
    amount_min: int | None = None
    amount_max: int | None = None
    repayments: tuple[Repayment, ...] | None = None
    rate_min: Decimal | None = None
    rate_max: Decimal | None = None
    age_min: int | None = None
    age_max: int | None = None
    guarantors: int | None = None
    required_features: tuple[str, ...] | None = None
    texts: Texts | None = None

    @property
    def set_fields(self) -> tuple[str, ...]:
        return tuple(n for n in self.__struct_fields__ if getattr(self, n) is not None)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product as one institution offers it on one day, sub-products already joined with their parent."""

    institution_id: str
    code: str
    version: int
    version_label: str
    name: str
    series_code: str
    series_name: str
    brand_name: str
    lineage: tuple[str, ...]
    terms: Terms
    effective_from: date


class Series(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    name: str
    other_names: tuple[str, ...]
    target_customers: str
    data_source: str
    risk_mitigation: str
    products: tuple["Leaf", ...]


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """A product in the tree; `parent_code` is set for a county's sub-product."""

    institution_id: str
    code: str
    name: str
    other_names: tuple[str, ...]
    parent_code: str | None


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    name: str
    audience: Audience
    series: tuple[Series, ...]


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """Why terms may not be published: the field, a Chinese sentence, the row of the requirements."""

    field: str
    message: str
    row_id: str


class ProductNotLive(NotFound):
    code = "product_not_live"
    message = "这个产品现在没有在本行办理"


class TermsRefused(Invalid):
    """`fields` holds one sentence per field; `breaches` everything with its row."""

    code = "terms_refused"
    message = "产品条款有 {count} 处不合规定，不能发布"

    def __init__(self, breaches: list[Breach]) -> None:
        self.breaches = breaches
        super().__init__(fields={b.field: b.message for b in breaches}, count=len(breaches))


class SelfApproval(NotPermitted):
    code = "self_approval"
    message = "自己制定的版本要由另一个人复核"


class NoSuchVersion(NotFound):
    code = "no_such_version"
    message = "没有这个产品版本"


class PublishedBackwards(Conflict):
    code = "published_backwards"
    message = "生效日期不能早于今天"
