"""A responsible code (责任码) and what hangs on it: campaign, material, officer, scans, reports."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted
from backend.core.lifecycle import Lifecycle

CAMPAIGN = Lifecycle("campaign", {"running": "进行中", "ended": "已结束"}, {"running": ("ended",)})

PLACEMENTS: dict[str, str] = {
    "moments": "朋友圈",
    "group": "微信群",
    "print": "张贴",
    "counter": "网点柜台",
    "sms": "短信",
    "menu": "公众号菜单",
    "visit": "上门",
}

REPORT_KINDS: dict[str, str] = {
    "fee_asked": "有人向我收费",
    "impersonation": "冒充银行工作人员",
    "other": "其他",
}


class CodeState(StrEnum):
    REAL = "real"
    REVOKED = "revoked"
    EXPIRED = "expired"
    FROZEN = "frozen"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        return {
            "real": "真实有效",
            "revoked": "已作废",
            "expired": "已过期",
            "frozen": "暂停使用",
            "unknown": "不是本行的码",
        }[self.value]


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """`ends_on` is its last day. `village` prefills the application; `purpose` never does."""

    id: str
    name: str
    product_code: str
    purpose: str | None
    village: str | None
    starts_on: date
    ends_on: date
    status: str


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """`sha256` (hex) covers headline and risk text."""

    id: str
    material_no: str
    campaign_id: str
    version: int
    headline: str
    risk_text: str
    sha256: str
    maker: str
    reviewer: str | None
    reviewed_at: datetime | None
    withdrawn_at: datetime | None

    @property
    def usable(self) -> bool:
        return self.reviewed_at is not None and self.withdrawn_at is None

    @property
    def visible_id(self) -> str:
        """Printed on the poster, so that any picture leads back to its review (D4-03)."""
        return f"{self.material_no}-{self.version}"


class ResponsibleCode(msgspec.Struct, frozen=True, kw_only=True):
    institution_id: str
    id: str
    token: str
    officer_id: str
    qualification_no: str
    campaign_id: str
    placement: str
    placement_label: str
    material_id: str
    issued_at: datetime
    expires_at: datetime
    frozen_at: datetime | None
    revoked_at: datetime | None
    closed_reason: str | None


class OfficerCard(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands behind a code, as shown to whoever scans it. `authorised_to` is the last day."""

    id: str
    name: str
    job_no: str
    branch_name: str
    institution_name: str
    phone: str
    qualification_no: str
    authorised_to: date | None


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to "is this code genuine?". Only an unknown code has no code, campaign and officer."""

    state: CodeState
    reason: str = ""
    code: ResponsibleCode | None = None
    campaign: Campaign | None = None
    officer: OfficerCard | None = None
    closed_on: date | None = None

    @property
    def usable(self) -> bool:
        return self.state is CodeState.REAL


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody told about a code or about nobody in particular (N15); `text` and `answer` are opened."""

    id: str
    ticket_no: str
    code_id: str | None
    kind: str
    text: str
    reported_at: datetime
    answer: str
    answered_at: datetime | None


class Funnel(msgspec.Struct, frozen=True, kw_only=True):
    """`visitors` counts each phone or account once."""

    code_id: str
    scans: int
    visitors: int
    reports: int


class OfficerNotAuthorised(NotPermitted):
    code = "officer_not_authorised"
    message = "没有登记营销资格或授权已到期，不能发布营销物料"


class MaterialNotReviewed(NotPermitted):
    code = "material_not_reviewed"
    message = "物料还没有通过审核，不能使用"


class MaterialRefused(Invalid):
    code = "material_refused"
    message = "物料内容有 {count} 处不合规定"


class GreetingRefused(Invalid):
    code = "greeting_refused"
    message = "问候语不能这样写"


class CodeClosed(Conflict):
    code = "code_closed"
    message = "这个码{label}，不能再做海报"


class SelfReview(NotPermitted):
    code = "self_review"
    message = "自己做的物料要由另一个人审核"


class NothingToInviteTo(Conflict):
    code = "nothing_to_invite_to"
    message = "这位客户有在办的业务，不用邀请，按业务联系就好"


class CampaignNotRunning(Conflict):
    code = "campaign_not_running"
    message = "这个活动没有在进行"


class CodeNotFound(NotFound):
    code = "code_not_found"
    message = "没有找到这个码"


class CodeExists(Conflict):
    code = "code_exists"
    message = "这个位置已经有码了，请换一个位置名称或作废旧码"


class MaterialNotFound(NotFound):
    code = "material_not_found"
    message = "没有找到这份物料"


class CampaignNotFound(NotFound):
    code = "campaign_not_found"
    message = "没有找到这个活动"


class ReportNotFound(NotFound):
    code = "report_not_found"
    message = "没有找到这个举报"


class ReportAnswered(Conflict):
    code = "report_answered"
    message = "这个举报已经由别人核实过了"
