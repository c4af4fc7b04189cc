"""An application (进件): one person's request for one product at one institution."""

from datetime import datetime
from typing import Literal

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound
from backend.core.lifecycle import Lifecycle

APPLICATION = Lifecycle(
    "application",
    {
        "draft": "填写中",
        "submitted": "已提交",
        "deciding": "审批中",
        "approved": "已通过",
        "declined": "未通过",
        "referred": "人工审查中",
        "held": "等待数据恢复",
        "handed_off": "已转手机银行",
        "signed": "已签约",
        "drawn": "已用款",
        "repaid": "已结清",
        "expired": "已过期",
        "cancelled": "已撤销",
        "abandoned": "已放弃",
    },
    {
        "draft": ("submitted", "abandoned"),
        "submitted": ("deciding", "approved", "declined", "referred"),  # deciding: somebody outside is asked
        "deciding": ("approved", "declined", "referred", "held"),
        "held": ("deciding", "cancelled"),
        "referred": ("approved", "declined", "cancelled"),
        "approved": ("handed_off", "expired", "cancelled"),
        "handed_off": ("signed", "expired", "cancelled"),
        "signed": ("drawn", "cancelled"),
        "drawn": ("repaid",),
        "repaid": ("drawn",),
    },
)

OPEN = frozenset({"draft", "submitted", "deciding", "referred", "held", "approved", "handed_off"})
"""While one of these stands, the same person may not begin another for the same product."""

STEPS = ("identity", "phone", "consents", "liveness", "details", "submit")
"""Where a draft is left and taken up again."""

Liveness = Literal["none", "passed", "declined"]


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What the person says about themself; sealed in the database."""

    purpose: str = ""
    amount_fen: int = 0
    term_months: int = 12
    income_band: str = ""
    occupation: str = ""
    town: str = ""
    village: str = ""
    student: bool = False


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """`officer_id` looks after the person now (管户); `brought_by` is who brought the case, where that was another."""

    institution_id: str
    id: str
    application_no: str
    session_id: str | None
    customer_id: str | None
    openid: str | None
    product_code: str
    product_version: str
    channel: str
    code_id: str | None
    officer_id: str | None
    status: str
    is_internet_loan: bool
    step: str
    declared: Declared
    amount_fen: int | None
    term_months: int | None
    purpose: str | None
    liveness: str
    submitted_at: datetime | None
    decided_at: datetime | None
    promised_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    brought_by: str | None = None

    @property
    def label(self) -> str:
        return APPLICATION.labels[self.status]


class Event(msgspec.Struct, frozen=True):
    seq: int
    event: str
    from_status: str | None
    to_status: str
    who: str
    why: str
    at: datetime


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph of a document and what was read from it."""

    id: str
    application_id: str
    kind: str
    sha256: bytes
    reading: dict[str, object] | None
    confirmed: dict[str, str] | None
    corrected: list[str]
    archive_receipt: str | None
    destroyed_at: datetime | None
    created_at: datetime


class ApplicationNotFound(NotFound):
    code = "application_not_found"
    message = "没有找到这笔申请。请核对申请编号，或回到公众号说“进度”"


class ApplicationMoved(Conflict):
    code = "application_moved"
    message = "这笔申请刚才有了新进展（{label}），请看最新页面"


class AlreadyOpen(Conflict):
    code = "application_already_open"
    message = "您已经有一笔{product}的申请（编号 {application_no}），不用再申请一次"


class StepMissing(Conflict):
    """A step was skipped (ASVS 2.3.1); `step` says which one comes first."""

    code = "step_missing"
    message = "前面还有一步没有办完，我们带您回去接着办"


class AmountOutOfRange(Invalid):
    code = "amount_out_of_range"
    message = "这个产品可以借 {low} 元到 {high} 元"


class DeclaredIncomplete(Invalid):
    """Something on the last page is missing or not among the choices; `fields` says what."""

    code = "declared_incomplete"
    message = "还有几项要选一下"
