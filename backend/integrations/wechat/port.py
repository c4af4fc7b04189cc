"""微信公众号: what we ask of the platform, and how it says no (A5-13)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from backend.core import clock
from backend.integrations.http import OutsideRefused, OutsideUnavailable

Refresh = Callable[[], Awaitable[tuple[str, int]]]
"""Asks the platform for a token; returns it and the seconds it lives."""


class TokenStore(Protocol):
    async def get(self, refresh: Refresh, *, stale: str = "", name: str = "access_token") -> str:
        """The shared token of this name; calls `refresh` when there is none, it has run out, or it is
        `stale` (the platform has just refused it). `refresh` calls outside, so no transaction may be open."""
        ...


class MemoryTokenStore:
    """For one process and for tests; replicas share theirs through PostgreSQL."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, float]] = {}

    async def get(self, refresh: Refresh, *, stale: str = "", name: str = "access_token") -> str:
        token, until = self._kept.get(name, ("", 0.0))
        if token and token != stale and clock.now().timestamp() < until:
            return token
        token, seconds = await refresh()
        # A minute early: the token must still live when the call arrives.
        self._kept[name] = (token, clock.now().timestamp() + seconds - 60)
        return token


class QrTicket(msgspec.Struct, frozen=True):
    """`url` is what the code says; `expires_at` None means permanent."""

    ticket: str
    url: str
    expires_at: datetime | None


class OAuthIdentity(msgspec.Struct, frozen=True):
    """A snapshot user (快照页) is a visitor without an account of their own: never bind one."""

    openid: str
    scope: str
    unionid: str = ""
    is_snapshot_user: bool = False


class WeChatUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "wechat_unavailable"
    message: ClassVar[str] = "微信暂时连不上，请稍后再试"
    system: ClassVar[str] = "wechat"


class WeChatRefused(OutsideRefused):
    code: ClassVar[str] = "wechat_refused"


class WindowClosed(WeChatRefused):
    """45015, 45047: the customer-service window is over or used up. Take the next allowed means."""

    code: ClassVar[str] = "wechat_window_closed"


class NotFollowing(WeChatRefused):
    """43004"""

    code: ClassVar[str] = "wechat_not_following"


class NoSubscription(WeChatRefused):
    """43101: no consent for a notice is left."""

    code: ClassVar[str] = "wechat_no_subscription"


class CodeUsed(WeChatRefused):
    """40163, 40029: the OAuth code was used, has run out or never was."""

    code: ClassVar[str] = "wechat_code_used"
    message: ClassVar[str] = "这个页面放得太久了，请从公众号重新打开"


class QuotaExhausted(WeChatRefused):
    """45009: today's calls are used up; asking again makes it worse."""

    code: ClassVar[str] = "wechat_quota_exhausted"


REFUSALS: dict[int, type[WeChatRefused]] = {
    45015: WindowClosed,
    45047: WindowClosed,
    43004: NotFollowing,
    43101: NoSubscription,
    40163: CodeUsed,
    40029: CodeUsed,
    45009: QuotaExhausted,
}
BAD_TOKEN = frozenset({40001, 40014, 42001})
ADDRESS_NOT_LISTED = 40164
