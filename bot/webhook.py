"""The platform's door: GET proves that the address is ours, POST brings a message and takes the reply."""

import asyncio

import structlog
from litestar import Response, get, post

from backend.core.errors import Problem, Unavailable
from backend.flows.context import Context
from backend.web import errors
from backend.web.http import Request
from bot import conversation, envelope, messages, replies, xml
from bot.talk import say

log = structlog.get_logger("bot")

MOST_BYTES = 64 * 1024 - 1
ANSWER_SECONDS = 4.0
"""The platform waits five; then it shows the person an error or sends the message again."""

NOTHING = "success"


@get("/wechat", media_type="text/plain")
async def verify(request: Request) -> str:
    """Answers the echostr as it came, in every mode. Raises `NotFromWeChat`."""
    settings = request.app.state.context.settings
    envelope.check(settings, request.query_params, "signature")
    return str(request.query_params.get("echostr", ""))


@post("/wechat", status_code=200, request_max_body_size=MOST_BYTES, opt={"message_id": "MsgId"})
async def receive(request: Request) -> Response[str]:
    """A genuine message always gets an answer the platform understands; anything else an error status."""
    context: Context = request.app.state.context
    query = request.query_params
    try:
        fields = envelope.opened(context.settings, query, await request.body())
        message = messages.read(fields)
    except (envelope.NotFromWeChat, envelope.NotAMessage) as refusal:
        log.warning("refused", code=refusal.code)
        document_type = isinstance(refusal.__cause__, xml.DocumentType)  # ASVS 1.5.1: no message at all
        return _plain("", 400 if document_type else errors.status_of(refusal))
    except messages.Incomplete:
        return _plain(NOTHING)
    stored = await _answer(context, message)
    if stored is None:
        return _plain(NOTHING)
    sealed = envelope.sealed(context.settings, replies.to_xml(stored), str(query.get("nonce", "")))
    return Response(sealed, media_type="application/xml")


async def _answer(context: Context, message: messages.Message) -> replies.Stored | None:
    """The reply; an event that could not be taken in raises, so that the platform brings it again."""
    try:
        return await _in_time(context, message)
    except Problem as problem:
        if message.is_event and isinstance(problem, Unavailable):
            raise
        log.warning("not answered", kind=message.kind, code=problem.code)
    except Exception as bug:
        if message.is_event:
            raise
        log.error("bot failed", kind=message.kind, error=type(bug).__name__, exc_info=True)
    # Nothing of this message was kept: the person is asked to say it again.
    return conversation.stored(message, say("fault/again.txt"))


class TooSlow(Unavailable):
    code = "bot_too_slow"
    message = "这句话没有收到，请过一分钟再说一次"


_given_up: set[asyncio.Task[replies.Stored | None]] = set()


async def _in_time(context: Context, message: messages.Message) -> replies.Stored | None:
    """Raises `TooSlow`. What takes too long is rolled back, which may itself take long: nobody waits for it."""
    taking = asyncio.create_task(conversation.take(context, message))
    done, _ = await asyncio.wait({taking}, timeout=ANSWER_SECONDS)
    if done:
        return taking.result()
    taking.cancel()
    _given_up.add(taking)
    taking.add_done_callback(_forget)
    raise TooSlow()


def _forget(taking: asyncio.Task[replies.Stored | None]) -> None:
    _given_up.discard(taking)
    if not taking.cancelled() and (problem := taking.exception()):
        log.warning("rolled back late", error=type(problem).__name__)


def _plain(text: str, status: int = 200) -> Response[str]:
    return Response(text, media_type="text/plain", status_code=status)
