"""A contract (合同): the approved terms of one application until they are repaid, void or ended."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound
from backend.core.lifecycle import Lifecycle
from backend.core.money import RepaymentMethod

CONTRACT = Lifecycle(
    "contract",
    {
        "draft": "待确认",
        "ready": "待签约",
        "signed": "已签约",
        "completed": "已结清",
        "void": "未签作废",
        "terminated": "已终止",
    },
    {
        "draft": ("ready", "void"),
        "ready": ("signed", "void"),
        "signed": ("completed", "terminated"),
        "completed": ("signed",),
    },
)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was approved. `agreed_by` is `decision` or `review:<staff id>`."""

    agreed_by: str
    product_code: str
    product_name: str
    internet_consumer: bool
    limit_fen: int
    annual_rate: Decimal
    term_months: int
    repayment_method: RepaymentMethod
    purpose: str
    agreed_on: date
    valid_until: date


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in fen, rate per year; `valid_until` is the last day on which it may be signed."""

    institution_id: str
    id: str
    application_id: str
    customer_id: str
    contract_no: str
    status: str
    agreed_by: str
    product_code: str
    product_name: str
    internet_consumer: bool
    limit_fen: int
    annual_rate: Decimal
    term_months: int
    repayment_method: RepaymentMethod
    purpose: str
    agreed_on: date
    valid_until: date
    manifest_sha256: str | None
    offer_no: str | None
    bank_sequence: int
    signature_no: str | None
    line_no: str | None
    signed_at: datetime | None
    created_at: datetime

    @property
    def label(self) -> str:
        return CONTRACT.labels[self.status]


class Confirmation(msgspec.Struct, frozen=True):
    """The 明示表 as the customer confirmed it."""

    version: str
    sha256: str
    shown_at: datetime
    confirmed_at: datetime


class Document(msgspec.Struct, frozen=True):
    id: str
    kind: str
    title: str
    sha256: str


class ContractMissing(NotFound):
    code = "contract_missing"
    message = "没有找到这份合同"


class DocumentMissing(NotFound):
    code = "document_missing"
    message = "没有找到这份文件"


class ContractMoved(Conflict):
    code = "contract_moved"
    message = "这份合同现在是“{label}”，不能再这样办"


class ReadTooFast(Conflict):
    """The forced reading time is not over (D2-09); `seconds_left` is measured by us."""

    code = "read_too_fast"
    message = "请把明示表看完，再过 {seconds_left} 秒可以确认"

    def __init__(self, *, seconds_left: int) -> None:
        self.seconds_left = seconds_left
        super().__init__(seconds_left=seconds_left)


class DisclosureChanged(Conflict):
    code = "disclosure_changed"
    message = "明示表的内容有更新，请再看一遍"


class ShownTokenInvalid(Invalid):
    code = "shown_token_invalid"
    message = "这一页放得太久了，请刷新后再看一遍明示表"


class OfferExpired(Conflict):
    """The last day on which it could be signed is over."""

    code = "offer_expired"
    message = "这笔额度 {valid_until} 到期，已经收回。还想借，重新申请就行"


class DisclosureNotConfirmed(Conflict):
    code = "disclosure_not_confirmed"
    message = "要先看过并确认综合融资成本明示表"


class DocumentAltered(Exception):
    """A stored document no longer has its hash: an incident, never shown to anybody."""
