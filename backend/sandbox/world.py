"""What all pretended systems share: memory, faults, the effect ledger, and callbacks to us."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
import msgspec
from litestar import Request, Response

from backend.sandbox.callbacks import Callbacks
from backend.sandbox.county.answers import Counties
from backend.sandbox.faults import Faults
from backend.sandbox.people import People
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import Store, decoded, encoded, stamp
from backend.settings import Settings

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]


class World:
    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None) -> None:
        self.settings = settings
        self.store = Store(settings.data / "sandbox.sqlite")
        self.faults = Faults(self.store)
        self.people = People(self.store, Counties(settings.data))
        # Keeps no cookies of its own: they belong to a phone, and each phone has its jar.
        nothing = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self.http = httpx.AsyncClient(transport=transport, trust_env=False, timeout=10, cookies=nothing)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.callbacks = Callbacks(self.store, self.faults, self.http, settings)

    def background(self, work: Coroutine[Any, Any, object] | asyncio.Task[Any]) -> None:
        """Let something run on; it is ended when the sandbox closes."""
        task = work if isinstance(work, asyncio.Task) else asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self, seconds: float = 10) -> None:
        """Wait for what runs in the background and for callbacks."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        await self.callbacks.idle(seconds)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.callbacks.close()
        await self.http.aclose()
        self.store.close()

    def record(self, system: str, effect: str, case: str, response: object, *, key: str = "") -> None:
        """Write an effect nobody called for over HTTP: a person tapped a button in the bank."""
        self.store.run(
            "insert into ledger (system, effect, case_id, key, request_sha256, response, at)"
            " values (?, ?, ?, ?, '', ?, ?)",
            *(system, effect, case, key, encoded(response), stamp()),
        )

    def ledger(self, *, system: str = "", since: int = 0, case: str = "") -> list[dict[str, Any]]:
        """Every effect after `since`, the oldest first."""
        rows = self.store.rows(
            'select seq, system, effect, case_id as "case", key, request_sha256, response, at from ledger'
            " where seq > ? and (? = '' or system = ?) and (? = '' or case_id = ?) order by seq",
            *(since, system, system, case, case),
        )
        return [{**row, "response": decoded(row["response"])} for row in rows]

    def latest(self, system: str, count: int) -> list[dict[str, Any]]:
        """The newest effects of a system (of all for an empty name), the newest first."""
        found = self.store.row(
            "select min(seq) as first from (select seq from ledger where ? = '' or system = ?"
            " order by seq desc limit ?)",
            *(system, system, count),
        )
        first = found["first"] if found else None
        return self.ledger(system=system, since=first - 1)[::-1] if first else []

    def counts(self) -> dict[str, int]:
        rows = self.store.rows("select system, count(*) as effects from ledger group by system")
        return {row["system"]: row["effects"] for row in rows}


def of(request: AnyRequest) -> World:
    world = request.app.state.world
    assert isinstance(world, World)
    return world


async def body_of(request: AnyRequest, kind: type[T]) -> T:
    """The JSON body, strictly: an unknown field or a wrong type is 400."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as cause:
        raise Refusal(400, "malformed", str(cause)) from cause


async def effect(
    request: AnyRequest,
    *,
    system: str,
    effect: str,
    case: str,
    work: Callable[[], object],
    key: str = "",
) -> Response[bytes]:
    """Do `work` once per idempotency key and write it into the ledger, both or neither.

    The same key with the same request gets the same answer; with another request 422 (trust §1.3, §1.6).
    """
    return await effect_bytes(
        request,
        system=system,
        effect=effect,
        case=case,
        work=lambda: (encoded(work()).encode(), {}),
        key=key,
    )


async def effect_bytes(
    request: AnyRequest,
    *,
    system: str,
    effect: str,
    case: str,
    work: Callable[[], tuple[bytes, Mapping[str, str]]],
    content_type: str = "application/json",
    key: str = "",
) -> Response[bytes]:
    """As `effect`, for an answer that need not be JSON. A given `key` stands in for a missing header."""
    world, key = of(request), request.headers.get("idempotency-key", key)
    if not key or len(key) > 200:
        raise Refusal(400, "idempotency_key_missing", "这个接口必须带 Idempotency-Key")
    sha256 = _request_sha256(request.method, request.url.path, await request.body())
    known = world.store.row("select * from answers where system = ? and key = ?", system, key)
    if known:
        if known["request_sha256"] != sha256:
            raise Refusal(422, "idempotency_key_reused", "同一个 Idempotency-Key 用在了另一个请求上")
        return _answer(known["body"], known["content_type"], {**decoded(known["headers"]), "X-Replayed": "1"})
    with world.store.transaction():
        body, headers = work()
        world.store.run(
            "insert into answers values (?, ?, ?, 200, ?, ?, ?)",
            *(system, key, sha256, content_type, encoded(headers), body),
        )
        written = body.decode() if content_type == "application/json" else encoded({"bytes": len(body)})
        world.store.run(
            "insert into ledger (system, effect, case_id, key, request_sha256, response, at)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            *(system, effect, case, key, sha256, written, stamp()),
        )
    return _answer(body, content_type, headers)


def answered(world: World, system: str, key: str) -> dict[str, Any]:
    """What `GET /<system>/effects/{key}` tells: did the effect of this key happen?"""
    row = world.store.row(
        "select effect, case_id, response, at from ledger where system = ? and key = ?", system, key
    )
    if not row:
        raise Refusal(404, "effect_not_found", "没有这个键的记录")
    return {
        "effect": row["effect"],
        "reference": row["case_id"],
        "response": decoded(row["response"]),
        "at": row["at"],
    }


def _request_sha256(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


def _answer(body: bytes, content_type: str, headers: Mapping[str, str]) -> Response[bytes]:
    return Response(body, media_type=content_type, headers=dict(headers), status_code=200)
