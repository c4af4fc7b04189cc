"""Calls from the bank's systems: signature first, then a strict body; refusals as the bank expects them."""

from enum import StrEnum
from typing import TypeVar

import litestar
import msgspec
import structlog

from backend.core import clock, webhooks
from backend.core.errors import Conflict, Invalid, Problem
from backend.domains.handoff.model import TokenExpired
from backend.flows.describe_offer import OfferGone
from backend.web import errors, request_keys
from backend.web.http import Request, Response

T = TypeVar("T")

log = structlog.get_logger("api")

LARGEST_BODY = 64 * 1024


class Caller(StrEnum):
    """Who calls, each with a secret of its own: the setting that holds it."""

    MOBILE_BANK = "mobile_bank_callback_secret"
    SMS = "sms_callback_secret"


_NUL = rb"\u0000"
_GONE: tuple[type[Conflict], ...] = (TokenExpired, OfferGone)


class BodyUnreadable(Invalid):
    """Not JSON, a field too many or too few, a wrong type: always 400 (ASVS 8.2.3)."""

    code = "body_unreadable"
    message = "请求内容的格式不对"


async def read(request: Request, caller: Caller, kind: type[T]) -> T:
    """The body of a genuine call. Raises `BadSignature`, `BodyUnreadable`.

    `kind` is a struct with `forbid_unknown_fields`.
    """
    body = await request.body()
    _verify(request, caller, body)
    if _NUL in body:  # no text of ours holds it, and PostgreSQL ends a text there
        raise BodyUnreadable()
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise BodyUnreadable() from cause


async def keyed(request: Request) -> Response | None:
    """For `before_request` of the mobile bank's routes: genuine, then done once by its `Idempotency-Key`.

    A message with an id of its own (`opt={"message_id": …}`) is kept single by that. Raises `BadSignature`.
    """
    if request.method in request_keys.SAFE or "message_id" in request.route_handler.opt:
        return None
    _verify(request, Caller.MOBILE_BANK, await request.body())
    return await request_keys.of_machine(request, "mobile bank")


def check(request: Request) -> None:
    """The mobile bank's genuine question without a body: what is signed is its path. Raises `BadSignature`."""
    _verify(request, Caller.MOBILE_BANK, request.scope["path"].encode())


def _verify(request: Request, caller: Caller, content: bytes) -> None:
    given = {
        name.decode(): value.decode("latin-1")
        for name, value in request.scope["headers"]  # names are lower case in ASGI
        if name.startswith(webhooks.HEADERS)
    }
    secret = getattr(request.app.state.context.settings, caller)
    webhooks.verify(secret, given, content, clock.now())


def answer_problem(request: Request, problem: Problem) -> Response:
    """`{"code", "message"}` with the status the contract with the bank names."""
    status = errors.status_of(problem)
    if isinstance(problem, _GONE):
        status = 410
    elif isinstance(problem, BodyUnreadable):
        status = 400
    elif isinstance(problem, webhooks.BadSignature):
        status = 401
    request_id = str(request.scope.get("request_id", ""))
    log.info("refused", code=problem.code, status=status)
    body = {"code": problem.code, "message": problem.text, "request_id": request_id}
    headers = {"Retry-After": str(getattr(problem, "retry_after", 1))} if status in (429, 503) else {}
    return litestar.Response(body, status_code=status, headers=headers, media_type="application/json")
