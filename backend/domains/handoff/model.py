"""Tokens and short codes that carry one customer's application into the mobile bank (A3-10, A5-05)."""

from datetime import datetime, timedelta

import msgspec

from backend.core.errors import Conflict, NotFound, TooMany

AUDIENCE = "mobile-bank"
TOKEN_TYPE = "handoff+jwt"  # noqa: S105 - a media type
TOKEN_LIFE = timedelta(seconds=120)
CODE_LIFE = timedelta(minutes=10)
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0 O 1 I L: a person reads the code from one screen and types it into another."""
CODE_LENGTH = 8
CODE_TRIES = 5


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One way in. `id` is the token's jti."""

    institution_id: str
    id: str
    application_id: str
    kind: str
    tries: int
    issued_at: datetime
    expires_at: datetime
    redeemed_at: datetime | None


class Claims(msgspec.Struct, frozen=True):
    """What a genuine token says."""

    ticket_id: str
    institution_id: str
    application_id: str
    customer_hash: str


class TokenUnknown(NotFound):
    code = "token_unknown"
    message = "这个链接不是本行发出的，请回到公众号重新打开"


class CodeUnknown(NotFound):
    code = "code_unknown"
    message = "移交码不对，请对照手机上的 8 位码再输一次"


class TokenExpired(Conflict):
    code = "token_expired"
    message = "链接已过期，请回到申请页面重新打开手机银行"


class AlreadyRedeemed(Conflict):
    code = "already_redeemed"
    message = "这个链接已经用过了，您的额度在手机银行“待办”里"


class OtherCustomer(Conflict):
    code = "other_customer"
    message = "这笔额度不是给当前登录客户的，请用申请人本人的手机银行"


class TooManyTries(TooMany):
    code = "too_many_tries"
    message = "输错次数太多了，请过 {wait} 再试"


class NotHandedOff(Conflict):
    code = "not_handed_off"
    message = "这笔申请现在是“{label}”，不用去手机银行"


class TooManyLinks(TooMany):
    code = "too_many_links"
    message = "链接要得太频繁了，请过 {wait} 再试"
