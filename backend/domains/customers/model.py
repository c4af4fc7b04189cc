"""A person (客户) as the bank knows them, and what each column of theirs is worth protecting."""

from datetime import date, datetime
from typing import Literal

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted
from backend.core.lifecycle import Lifecycle

CUSTOMER = Lifecycle(
    "customer",
    {"active": "正常", "frozen": "已冻结", "erased": "已匿名"},
    {"active": ("frozen", "erased"), "frozen": ("active",)},
)

ERASED = CUSTOMER.labels["erased"]
"""Stands where the name of somebody who was forgotten would."""
FROZEN_MARK = f"（{CUSTOMER.labels['frozen']}）"
"""Behind the name of who is frozen, in the lists that staff work through."""

REVEALING_ROLES = ("officer", "county_admin", "reviewer", "auditor")
"""Roles that may see a person unmasked, with a reason and a row in the audit log (D3-15). The county's admin is told
to phone who complained or asked for a person, and cannot without the number."""

Sex = Literal["男", "女"]


SearchKind = Literal["id_number", "phone", "name"]
"""What a person can be found by; a name only as a whole, since only its keyed hash can be asked for."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of an ID card as the person confirmed them. `valid_until` None is 长期."""

    name: str
    id_number: str
    sex: str
    nation: str
    birth_on: date
    address: str
    issuer: str
    valid_from: date
    valid_until: date | None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Opened: never log, never put into a URL, a template for third eyes or an effect in clear. Of somebody erased all
    texts are empty but the name, which says so; only `view` and `names` show such a one."""

    institution_id: str
    id: str
    name: str
    id_number: str
    phone: str | None
    address: str
    issuer: str
    birth_on: date
    sex: Sex
    nation: str
    card_valid_from: date | None
    card_valid_until: date | None
    status: str
    created_at: datetime


class MaskedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What a page may show (D3-15). `own` is true for the person's own view."""

    id: str
    name: str
    id_number: str
    phone: str
    address: str
    age: int
    sex: Sex
    card_valid_until: date | None
    status: str
    own: bool


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A consent as given; it stands until `valid_until` (last day) or `withdrawn_at`."""

    id: str
    purpose: str
    recipient: str
    version: int
    text_sha256: str
    channel: str
    given_at: datetime
    valid_until: date | None
    withdrawn_at: datetime | None


class IdNumberInvalid(Invalid):
    code = "id_number_invalid"
    message = "身份证号不对，请对照身份证改一下"


class CardContradictsItself(Invalid):
    code = "card_contradicts_itself"
    message = "身份证上的内容互相对不上，请核对或重新拍照"


class CardMistyped(Invalid):
    """What contradicts the rest of the card is what the person typed; the photographs may be right."""

    code = "card_mistyped"
    message = "改过的地方和证件上别的内容对不上，请对着身份证再看一遍"


class CardExpired(Invalid):
    code = "card_expired"
    message = "身份证已在 {expired_on} 到期，请换领新证后再申请"


class UnderAge(NotPermitted):
    """Under fourteen: nothing of the child is kept (D3-05)."""

    code = "under_age"
    message = "未满 {age} 周岁不能办理，您的照片和信息没有保存"


class NotYetAdult(NotPermitted):
    code = "not_yet_adult"
    message = "年满 {age} 周岁后才可以申请，您的照片和信息没有保存"


class CustomerNotFound(NotFound):
    code = "customer_not_found"
    message = "没有找到这位客户"


class CustomerErased(NotFound):
    """Never got a loan, and the promised time is over: nobody knows any more who it was."""

    code = "customer_erased"
    message = "这位客户没有办成贷款，资料已经按对客户的承诺匿名，找不回来了"


class CustomerFrozen(NotPermitted):
    code = "customer_frozen"
    message = "您的账户需要到网点核实身份，请带身份证到柜台办理"


class AlreadyBound(Conflict):
    """This WeChat account or this person is bound elsewhere; only unbinding frees them."""

    code = "already_bound"
    message = (
        "您的信息连着另一个微信，或这个微信连着别人。请先在那个微信里说“解绑”；那个微信用不了，就说“人工”"
    )


class PhoneTaken(Conflict):
    code = "phone_taken"
    message = "这个手机号登记在另一位客户名下，请用您本人的手机号"


class ReasonNeeded(Invalid):
    code = "reason_needed"
    message = "查看完整信息要写明理由"


class RevealRefused(NotPermitted):
    code = "reveal_refused"
    message = "您的岗位不能查看客户的完整信息"


class ConsentMissing(NotPermitted):
    """Nobody may be asked about this person for this purpose on this day."""

    code = "consent_missing"
    message = "还没有您的授权，这一步不能办"


class ConsentTextChanged(Conflict):
    code = "consent_text_changed"
    message = "授权书刚刚更新了，请看过新的内容再同意"
