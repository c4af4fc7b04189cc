"""Every POST that changes something carries a key and happens once (trust §1 no 3): one mechanism for all doors.

A page's form carries `form_key`, made when the page is rendered; a machine sends `Idempotency-Key`. The key counts
for who sent it, and a form's for the address it is sent to: a page may hold several forms. `guard` and `of_machine`
run before the handler and know the request; `keyed` stands around the application and keeps the answer. Handlers and
flows know nothing of it: the first transaction that writes takes the claim along (`outbox/idempotency.py`).

Doors whose messages bring their own id (`opt={"message_id": …}`: the bank's events, SMS receipts, WeChat) are kept
single by the inbox, or by the state of the message the id names.
"""

import hmac
import zlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import litestar
import msgspec
import structlog
from litestar.datastructures import UploadFile
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException

from backend.core import clock
from backend.core.crypto import Unreadable, Vault
from backend.core.errors import Conflict, Unavailable
from backend.db.database import Tx, first_write
from backend.flows.context import Context
from backend.outbox.idempotency import AnsweredMeanwhile, Beside, Claim, Refused, request_hash
from backend.web import addresses, cookies, customer, errors, forms
from backend.web.http import Request, Response

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("web")

HEADER = "idempotency-key"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PASSING = frozenset({408, 429})
"""Answers to be asked again with the same key, as everything from 500 on."""
MOST_KEPT = 1024 * 1024
"""Bytes of an answer that is kept; a larger one is a file, which a repeat fetches from its page."""
_LONGEST_KEY = 200


class KeyMissing(HTTPException):
    """Something would be changed by a request that brought no key. `sentence` is what its sender is told."""

    status_code = 400

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__()


class AnswerGone(Conflict):
    code = "answer_gone"
    message = "这个 Idempotency-Key 的请求早已办完，当时的答复不再保存，请查询最新状态"


COOKIE_SECONDS = 600
"""How long a repeat is given the session again; later, a code that was used opens nothing."""


class Answer(msgspec.Struct, array_like=True):
    """What was sent: status, raw headers, body; and when."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    at: datetime

    def stands(self) -> bool:
        opens = any(name.lower() == b"set-cookie" for name, _ in self.headers)
        return not opens or clock.now() - self.at < timedelta(seconds=COOKIE_SECONDS)


class Keyed:
    """One request's key: the claim, the seal of its answer, and the answer of before if there was one.

    The seal is made of what only the sender still has (the key itself, and the cookie of the browser or of the staff
    session), under the vault's own seal: what an answer holds of cookies and codes can be read with neither the
    database nor its keys.
    """

    def __init__(self, claim: Claim, secret: bytes) -> None:
        self.claim, self.before = claim, None  # type: Claim, Answer | None
        self._vault = Vault({1: secret}, 1, secret)

    def seal(self, answer: Answer) -> bytes | None:
        if len(answer.body) > MOST_KEPT:
            return None
        packed = zlib.compress(msgspec.msgpack.encode(answer))
        return self._vault.seal("request", "answer", self.claim.key, packed)

    def open(self, sealed: bytes) -> Answer | None:
        """None for the same person in another session, where nothing of the first is shown, and when it is too old."""
        try:
            packed = self._vault.open("request", "answer", self.claim.key, sealed)
        except Unreadable:
            return None
        found = msgspec.msgpack.decode(zlib.decompress(packed), type=Answer)
        return found if found.stands() else None


class NoKey:
    """Stands where a claim would: refuses the first change."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    async def began(self, tx: Tx) -> bool:  # noqa: ARG002
        raise KeyMissing(self._sentence)

    async def was_second(self) -> None:
        """Never: nothing began."""

    def committed(self) -> None:
        """Never: nothing began."""


async def guard(request: Request) -> Response | None:
    """For `before_request` of pages: `forms.guard`, then the form's key. Raises `KeyReused` and `StillRunning`.

    A door whose handlers all begin with the same question names it (`opt={"beside_key": …}`, which takes `tx` and the
    request), and it goes in the round trip that asks for the key.
    """
    await forms.guard(request)
    if request.method in SAFE:
        return None
    settings, form = request.app.state.settings, await request.form()
    key = form.get("form_key")
    parts: list[str | bytes] = [request.headers.get("hx-request", "")]
    for name in sorted(set(form) - forms.ALWAYS):
        for value in form.getall(name):
            parts += [name, await _bytes_of(value) if isinstance(value, UploadFile) else str(value)]
    here: Any = request.scope.get("staff")
    person = f"staff {here.person.institution_id} {here.person.id}" if here else ""
    beside = request.route_handler.opt.get("beside_key")
    return await _enter(
        request,
        who=person or f"visit {customer.visit_name(request, settings)}",
        key=f"{key}\x00{request.scope['path']}" if key and isinstance(key, str) else "",
        parts=parts,
        secret=here.token if here else cookies.read(request, settings, cookies.VISIT),
        missing="这个页面不完整，什么都没有改动。请退回上一页刷新再试",
        beside=(lambda tx: beside(tx, request)) if beside else None,
    )


async def of_machine(request: Request, who: str) -> Response | None:
    """For `before_request` of a door for machines, once it is known who knocks. As `guard`."""
    key = request.headers.get(HEADER, "")
    return await _enter(
        request,
        who=who,
        key=key if len(key) <= _LONGEST_KEY else "",
        parts=[await request.body()],
        secret="",
        missing="这个接口会改动数据，请求必须带 Idempotency-Key（1 到 200 个字符），重发时用同一个",
    )


async def _enter(
    request: Request,
    *,
    who: str,
    key: str,
    parts: list[str | bytes],
    secret: str,
    missing: str,
    beside: Beside | None = None,
) -> Response | None:
    """Answered before: that answer. Else the handler runs, and what it changes carries the key."""
    if not key:
        first_write.set(NoKey(missing))
        return None
    context: Context = request.app.state.context
    asked = [request.method, request.scope["path"], request.scope["query_string"], who, *parts]
    text = f"answer\x00{who}\x00{secret}\x00{key}".encode()
    sealing = hmac.digest(context.settings.session_secret.encode(), text, "sha256")
    keyed_ = Keyed(Claim(context.db, who, key, request_hash(*asked)), sealing)
    request.scope["request_key"] = keyed_  # type: ignore[typeddict-unknown-key]
    answered, sealed = await keyed_.claim.look(beside)
    if answered:
        return answer_meanwhile(request, AnsweredMeanwhile(sealed))
    first_write.set(keyed_.claim)
    return None


def answer_meanwhile(request: Request, found: AnsweredMeanwhile) -> Response:
    """The saved answer; when it is not kept any more, the page that shows how things stand.

    Raises `AnswerGone` for a machine.
    """
    keyed_: Keyed = request.scope["request_key"]  # type: ignore[typeddict-item]
    if found.answer is not None and (before := keyed_.open(found.answer)):
        keyed_.before = before
        return litestar.Response(None, status_code=204)  # `keyed` sends what is saved in its place
    if errors.by_machine(request):
        return errors.answer_problem(request, AnswerGone())
    came_from = urlsplit(request.headers.get("referer", "")).path
    return customer.go(request, addresses.local(came_from, customer.stands_at(request)))


def answer_refused(request: Request, refused: Refused) -> Response:
    return errors.answer_problem(request, refused.problem)


HANDLERS: dict[type[Exception], Any] = {AnsweredMeanwhile: answer_meanwhile, Refused: answer_refused}


def keyed(app: "ASGIApp") -> "ASGIApp":
    """ASGI middleware around the whole application: the answer is written down before it is sent."""

    async def run(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] in SAFE:
            await app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: "Message") -> None:
            held.append(message)

        token = first_write.set(None)
        try:
            await app(scope, receive, hold)
        finally:
            first_write.reset(token)
        found: Keyed | None = scope.get("request_key")  # type: ignore[assignment]
        if found is not None:
            held = await _settled(found, held)
        for message in held:
            await send(message)

    return run


async def _settled(found: Keyed, held: list["Message"]) -> list["Message"]:
    """The messages to send, once what a repeat will get is written down."""
    if found.before is not None:
        return _messages(found.before)
    answer = _answer(held)
    try:
        if answer.status >= 500 or answer.status in PASSING:
            await found.claim.release()
        else:
            await found.claim.answered(found.seal(answer))
    except Unavailable as problem:
        # The change is there: its sender is told. A repeat will take the claim over.
        log.warning("answer not kept", code=problem.code)
    return held


def _answer(held: list[Any]) -> Answer:
    body = b"".join(message.get("body", b"") for message in held)
    headers = [(bytes(name), bytes(value)) for name, value in held[0]["headers"]]
    return Answer(held[0]["status"], headers, body, clock.now())


def _messages(answer: Answer) -> list[Any]:
    start = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
    return [start, {"type": "http.response.body", "body": answer.body, "more_body": False}]


async def _bytes_of(file: UploadFile) -> bytes:
    content = await file.read()
    await file.seek(0)
    return content
