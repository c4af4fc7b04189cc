"""What every client of an outside system shares: deadline, back-off, keys, and what may go wrong.

Rules (trust §1.4, §1.6, §1.7; house rule 6): every call has a deadline; no call while a transaction is
open; a call with an effect carries its `Idempotency-Key` and is never sent twice by the client itself,
because the outbox repeats it with the same key; a time-out on an effect is *unknown*, not failed.
Addresses come from settings only, redirects are not followed, answers have a size cap (ASVS 1.3.6).
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import httpx
import msgspec
import stamina
import structlog

from backend.core.errors import Conflict, Unavailable
from backend.db import database

T = TypeVar("T")

ANSWER_CAP = 2 * 1024 * 1024
# httpx writes every address to its log, and WeChat's carry tokens (16.2.5).
logging.getLogger("httpx").setLevel(logging.WARNING)
_log = structlog.get_logger("outside")


class OutsideUnavailable(Unavailable):
    """No usable answer. `unknown` is true when the effect may have happened all the same.

    `reason`: timeout · connect · broken · status NNN · too_large · not_json · incomplete · rate_limited.
    `retry_after`: seconds the other side asks us to wait, or None.
    """

    code: ClassVar[str] = "outside_unavailable"
    system: ClassVar[str] = ""

    def __init__(
        self, *, operation: str, reason: str, unknown: bool = False, retry_after: float | None = None
    ) -> None:
        self.operation, self.reason, self.retry_after = operation, reason, retry_after
        super().__init__(unknown=unknown, operation=operation, reason=reason)

    def __str__(self) -> str:
        doubt = ", unknown" if self.unknown else ""
        return f"{self.code}: {self.operation}: {self.reason}{doubt}"


class OutsideRefused(Conflict):
    """The system answered and said no (4xx): asking again the same way will not help."""

    code: ClassVar[str] = "outside_refused"
    message: ClassVar[str] = "对方系统没有受理这一步，客户经理会跟进"

    def __init__(
        self, *, system: str, operation: str, status: int, remote_code: str, remote_message: str = ""
    ) -> None:
        self.system, self.operation, self.status = system, operation, status
        self.remote_code, self.remote_message = remote_code, remote_message
        super().__init__(system=system, operation=operation, status=status, remote_code=remote_code)

    def __str__(self) -> str:
        return f"{self.code}: {self.system} {self.operation}: {self.status} {self.remote_code}"


class CallInsideTransaction(RuntimeError):
    """A mistake in our own code: a row lock would be held for as long as somebody else's server likes."""


class Answer(msgspec.Struct, frozen=True):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Applied(msgspec.Struct, frozen=True):
    """What a system says it did for an idempotency key."""

    effect: str
    reference: str
    response: dict[str, Any]
    at: str


class _Problem(msgspec.Struct):
    code: str = ""
    message: str = ""


def open_client(*, deadline: float, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The connection pool all clients share. `transport` lets tests mount the sandbox in process."""
    return httpx.AsyncClient(
        transport=transport,
        # No cookies: one customer's call must not ride on another's.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(deadline, connect=min(2.0, deadline)),
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=20),
        headers={"User-Agent": "xiaodai"},
    )


def refuse_inside_transaction(operation: str) -> None:
    if database.in_transaction():
        raise CallInsideTransaction(f"{operation} was called while a transaction is open")


def segment(text: str) -> str:
    """One piece of a path; nothing in it can climb out of the path."""
    if not text or text in {".", ".."}:
        raise ValueError("an empty or dotted path segment")
    return quote(text, safe="")


class Connection:
    """One outside system: its address, its secret, its own kind of Unavailable."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base: str,
        secret: str,
        deadline: float,
        failure: type[OutsideUnavailable],
    ) -> None:
        if not base.startswith(("http://", "https://")):
            raise ValueError(f"{failure.system}: the address must begin with http:// or https://")
        self._http, self._base, self._deadline = http, base.rstrip("/"), deadline
        self._secret, self._failure = secret, failure

    async def read(
        self, operation: str, path: str, answer: type[T], *, body: object = None, method: str = ""
    ) -> T:
        """A call without an effect: repeated with back-off while its deadline lasts."""
        request = self._request(method or ("GET" if body is None else "POST"), path, body)
        reply = await self._repeated(operation, request)
        return self.decode(operation, reply.body, answer, effect=False)

    async def effect(self, operation: str, path: str, answer: type[T], *, key: str, body: object) -> T:
        """A call that changes something outside; `key` is the same on every repetition."""
        request = self._request("POST", path, body, {"Idempotency-Key": key})
        reply = await self.send(operation, request, effect=True)
        return self.decode(operation, reply.body, answer, effect=True)

    async def applied(self, key: str) -> Applied | None:
        """Did the effect of this key happen? Ask before resending what ended as unknown."""
        try:
            return await self.read("effects", f"/effects/{segment(key)}", Applied)
        except OutsideRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    def request(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Request:
        """A request whose body is not JSON."""
        return self._http.build_request(
            method, self._base + path, content=content, headers=self._signed(headers)
        )

    async def send(
        self, operation: str, request: httpx.Request, *, effect: bool, cap: int = ANSWER_CAP
    ) -> Answer:
        """Send once and read the answer. Raises the system's Unavailable or OutsideRefused."""
        refuse_inside_transaction(f"{self._failure.system}.{operation}")
        started = time.perf_counter()
        outcome = "broken"
        try:
            async with asyncio.timeout(self._deadline):
                reply = await self._exchange(operation, request, effect=effect, cap=cap)
            outcome = str(reply.status)
        except TimeoutError as cause:
            outcome = "timeout"
            raise self._fail(operation, "timeout", unknown=effect) from cause
        except OutsideUnavailable as failure:
            outcome = failure.reason
            raise
        finally:
            # Never the address's query, the body or the answer: they hold personal data (16.2.5).
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            _log.info(
                "outside_call",
                system=self._failure.system,
                operation=operation,
                outcome=outcome,
                ms=milliseconds,
            )
        return self._checked(operation, reply, effect=effect)

    async def _repeated(self, operation: str, request: httpx.Request) -> Answer:
        attempts = stamina.retry_context(
            on=_may_pass, attempts=3, timeout=self._deadline, wait_initial=0.05, wait_max=0.5, wait_jitter=0.1
        )
        try:
            async with asyncio.timeout(self._deadline):
                async for attempt in attempts:
                    with attempt:
                        return await self.send(operation, request, effect=False)
        except TimeoutError as cause:
            raise self._fail(operation, "timeout") from cause
        raise AssertionError("retry_context either returns or raises")

    async def _exchange(self, operation: str, request: httpx.Request, *, effect: bool, cap: int) -> Answer:
        try:
            return await _read_capped(self._http, request, cap)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as cause:
            raise self._fail(operation, "connect") from cause
        except httpx.TimeoutException as cause:
            raise self._fail(operation, "timeout", unknown=effect) from cause
        except httpx.TransportError as cause:
            raise self._fail(operation, "broken", unknown=effect) from cause
        except _TooLarge as cause:
            raise self._fail(operation, "too_large", unknown=effect) from cause

    def _checked(self, operation: str, reply: Answer, *, effect: bool) -> Answer:
        if 200 <= reply.status < 300:
            return reply
        if reply.status == 429:
            raise self._fail(operation, "rate_limited", retry_after=_retry_after(reply))
        if reply.status >= 500 or reply.status < 400:
            # A redirect is nothing we asked for either, and is not followed.
            raise self._fail(
                operation, f"status {reply.status}", unknown=effect, retry_after=_retry_after(reply)
            )
        problem = _problem(reply.body)
        raise OutsideRefused(
            system=self._failure.system,
            operation=operation,
            status=reply.status,
            remote_code=problem.code,
            remote_message=problem.message,
        )

    def decode(self, operation: str, body: bytes, answer: type[T], *, effect: bool) -> T:
        """The answer as a struct. An answer of another shape says nothing about the effect."""
        try:
            return msgspec.json.decode(body, type=answer)
        except msgspec.DecodeError as cause:
            raise self._fail(operation, "not_json", unknown=effect) from cause

    def _request(
        self, method: str, path: str, body: object, extra: Mapping[str, str] | None = None
    ) -> httpx.Request:
        headers = {"Accept": "application/json", **(extra or {})}
        if body is None:
            return self._http.build_request(method, self._base + path, headers=self._signed(headers))
        headers["Content-Type"] = "application/json"
        content = msgspec.json.encode(body)
        return self._http.build_request(
            method, self._base + path, content=content, headers=self._signed(headers)
        )

    def _signed(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {**headers, "Authorization": f"Bearer {self._secret}"} if self._secret else dict(headers)

    def _fail(
        self, operation: str, reason: str, *, unknown: bool = False, retry_after: float | None = None
    ) -> OutsideUnavailable:
        return self._failure(operation=operation, reason=reason, unknown=unknown, retry_after=retry_after)


class _TooLarge(Exception):
    pass


async def _read_capped(http: httpx.AsyncClient, request: httpx.Request, cap: int) -> Answer:
    reply = await http.send(request, stream=True)
    try:
        received = bytearray()
        async for chunk in reply.aiter_bytes():
            received += chunk
            if len(received) > cap:
                raise _TooLarge()
        return Answer(reply.status_code, dict(reply.headers), bytes(received))
    finally:
        await reply.aclose()


def _may_pass(cause: Exception) -> bool:
    """Worth another try at once: nothing was refused, and nobody asked us to wait."""
    return isinstance(cause, OutsideUnavailable) and cause.reason not in {
        "too_large",
        "not_json",
        "rate_limited",
    }


def _retry_after(reply: Answer) -> float | None:
    try:
        return float(reply.headers.get("retry-after", ""))
    except ValueError:
        return None


def _problem(body: bytes) -> _Problem:
    try:
        return msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return _Problem()
