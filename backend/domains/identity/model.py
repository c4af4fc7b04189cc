"""Who is at the door: staff by the union's sign-on, customers by a session and an SMS code."""

from datetime import date, datetime, timedelta

import msgspec

from backend.core.errors import Conflict, Invalid, NotFound, NotPermitted, TooMany

STAFF_IDLE = timedelta(minutes=15)
STAFF_ABSOLUTE = timedelta(hours=8)
STEP_UP = timedelta(minutes=5)
"""How fresh the sign-on's proof must be for a decision about money or a dead letter (A5-01)."""

STATE_LIFE = timedelta(minutes=10)
CUSTOMER_SESSION = timedelta(days=90)
"""A draft is kept 90 days (D7); the cookie that finds it lives as long. Private answers need a fresh code."""


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    institution_id: str
    id: str
    staff_no: str
    name: str
    branch_id: str | None
    roles: list[str]
    subject: str
    phone: str
    qualification_no: str
    authority_from: date | None
    authority_to: date | None
    active: bool
    left_at: datetime | None = None

    def authorised(self, on: date) -> bool:
        """Whether this person may market on a day (D4-01): qualified, authorised, still with us."""
        return (
            self.active
            and bool(self.qualification_no)
            and self.authority_from is not None
            and self.authority_to is not None
            and self.authority_from <= on <= self.authority_to
        )


class StaffSession(msgspec.Struct, frozen=True, kw_only=True):
    """`seen_at` is up to half a minute behind; `authenticated_at` is when the sign-on last saw a proof."""

    person: Staff
    seen_at: datetime
    authenticated_at: datetime

    def fresh(self, now: datetime) -> bool:
        """Whether a risky action may be taken without signing in again."""
        return now - self.authenticated_at <= STEP_UP


class SignInState(msgspec.Struct, frozen=True):
    """Where a sign-in comes back to. `for_subject` names the one person a step-up is for."""

    next_path: str
    for_subject: str


class CustomerSession(msgspec.Struct, frozen=True, kw_only=True):
    institution_id: str
    id: str
    openid: str | None
    customer_id: str | None
    application_id: str | None
    expires_at: datetime


class CodeSent(msgspec.Struct, frozen=True):
    """A fresh one-time code; `code` goes into the SMS effect and nowhere else."""

    id: str
    code: str
    valid_seconds: int


class WrongCode(Invalid):
    code = "wrong_code"
    message = "验证码不对，还可以再试 {left} 次"


class CodeUsedUp(Invalid):
    code = "code_used_up"
    message = "这个验证码不能再用了，点“再发一次”要个新的"


class TriesSpent(CodeUsedUp):
    """`most` (`sms.tries`) wrong codes, this the last of them."""

    code = "code_tries_spent"
    message = "验证码错了 {most} 次，点“再发一次”要个新的"


class CodeTooSoon(TooMany):
    code = "code_too_soon"
    message = "验证码刚发过，{wait}后可以再发一次"


class SignInNeeded(NotPermitted):
    code = "sign_in_needed"
    message = "登录时间到了，请重新登录"


class SignInFailed(NotPermitted):
    """Unknown, used or foreign state, or a token that is not what the sign-on would give: never says which."""

    code = "sign_in_failed"
    message = "登录没有完成，请重新登录一次"


class StaffUnknown(NotPermitted):
    """The sign-on knows the person; we do not, or not any more."""

    code = "staff_unknown"
    message = "您的账号还没有开通小贷云工作室，或者已经停用。请找本行管理员开通"


class AnotherPerson(NotPermitted):
    code = "another_person"
    message = "这次确认要用您自己的账号登录，请重新确认一次"


class StaffNotFound(NotFound):
    code = "staff_not_found"
    message = "没有找到这位员工"


class AlreadyLeft(Conflict):
    code = "already_left"
    message = "这位员工已经办过离岗了"


class NotYourself(NotPermitted):
    code = "not_yourself"
    message = "自己的离岗要由另一位管理员办"


class NotYours(NotPermitted):
    code = "not_yours"
    message = "您的岗位不能办这一步"
