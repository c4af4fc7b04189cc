"""Who is at the door: staff by the union's sign-on, customers by a session and an SMS code."""

from datetime import date, datetime, timedelta

import msgspec

from backend.core.errors import Invalid, NotPermitted, TooMany

STAFF_IDLE = timedelta(minutes=15)
STAFF_ABSOLUTE = timedelta(hours=8)
CUSTOMER_SESSION = timedelta(days=90)
"""A draft is kept 90 days (D7); the cookie that finds it lives as long. Private answers need a fresh code."""

CODE_LIFE = timedelta(minutes=5)
CODE_TRIES = 5


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

    def authorised(self, on: date) -> bool:
        """Whether this person may market on a day (D4-01): qualified, authorised, still with us."""
        return (
            self.active
            and bool(self.qualification_no)
            and self.authority_from is not None
            and self.authority_to is not None
            and self.authority_from <= on <= self.authority_to
        )


class CustomerSession(msgspec.Struct, frozen=True, kw_only=True):
    institution_id: str
    id: str
    openid: str | None
    customer_id: str | None
    application_id: str | None
    large_type: bool
    expires_at: datetime


class CodeSent(msgspec.Struct, frozen=True):
    """A fresh one-time code; `code` goes into the SMS effect and nowhere else."""

    id: str
    code: str


class WrongCode(Invalid):
    code = "wrong_code"
    message = "验证码不对，还可以再试 {left} 次"


class CodeUsedUp(Invalid):
    code = "code_used_up"
    message = "这个验证码不能再用了，请重新获取一个"


class CodeTooSoon(TooMany):
    code = "code_too_soon"
    message = "验证码刚发过，{wait}后可以再发一次"


class SignInNeeded(NotPermitted):
    code = "sign_in_needed"
    message = "登录时间到了，请重新登录"


class NotYours(NotPermitted):
    code = "not_yours"
    message = "您的岗位不能办这一步"
