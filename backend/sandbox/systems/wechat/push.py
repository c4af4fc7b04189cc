"""The platform's side of the conversation: signed, encrypted XML to our door, and the passive reply.

5 s for an answer, three tries in all; a late first call is not cut off, so tries may overlap, as the
platform's do. What nobody answers in time shows the person an error.
"""

import asyncio
import time
from typing import Any
from xml.sax.saxutils import escape

import httpx
import msgspec
import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from backend.core import clock, ids
from backend.sandbox.faults import wait
from backend.sandbox.systems.wechat import followers
from backend.sandbox.systems.wechat.accounts import ACCOUNT
from backend.sandbox.world import World

SECONDS = 5.0
TRIES = 3
OUT_OF_ORDER = "该公众号提供的服务出现故障，请稍后再试"
FIRST_MESSAGE = 23_000_000_000_000_000
"""Beyond 2^53, as real message ids are: they must be kept as text."""

Fields = dict[str, Any]


class Pushed(msgspec.Struct, frozen=True):
    """`reply` is None for an empty answer; `error` is what the person was shown instead of one."""

    reply: Fields | None
    empty: bool
    status: int
    attempts: int
    ms: float
    message: Fields
    error: str = ""


class _Answer(msgspec.Struct, frozen=True):
    status: int
    reply: Fields | None = None
    error: str = ""


def message_number(here: World) -> int:
    return FIRST_MESSAGE + here.store.next("wechat_message")


def header(openid: str, kind: str) -> Fields:
    moment = str(int(clock.now().timestamp()))
    return {"ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": moment, "MsgType": kind}


def job_finished(here: World, event: str, number: int, template_id: str) -> Fields:
    """What the platform tells the account when a notice has been shown, or (fault `report`) could not be."""
    code = next((f.args.get("errcode", 0) for f in here.faults.firing("wechat", "report")), 0)
    status = "failed: system failed" if code else "success"
    if event == "TEMPLATESENDJOBFINISH":
        return {"Event": event, "MsgID": str(number), "Status": status}
    one = {"TemplateId": template_id, "MsgID": str(number), "ErrorCode": str(code), "ErrorStatus": status}
    return {"Event": event, "SubscribeMsgSentEvent": {"List": one}}


def soon(here: World, openid: str, fields: Fields) -> None:
    """Push an event without waiting for the answer."""
    message = {**header(openid, "event"), **fields}
    here.background(_quietly(here, message))


async def _quietly(here: World, message: Fields) -> None:
    await asyncio.sleep(0.05)
    await send(here, message)


async def send(here: World, message: Fields) -> Pushed:
    """Deliver one message and show the person what comes back."""
    openid, started = message["FromUserName"], time.perf_counter()
    faults = {fault.fault: fault for fault in here.faults.firing("wechat", "callback")}
    for slow in ("delay", "hang"):
        if slow in faults:
            await wait(faults[slow])
    if "duplicate" in faults:
        await _try(here, message)
    lost = "drop_before" in faults, "drop_after" in faults
    answer, attempts = await _tries(here, message, lost_before=lost[0], lost_after=lost[1])
    if answer.error:
        followers.receive(here, openid, "error", {"type": "text", "content": answer.error})
    elif answer.reply:
        followers.receive(here, openid, "reply", answer.reply)
    return Pushed(
        reply=answer.reply,
        empty=answer.reply is None and not answer.error,
        status=answer.status,
        attempts=attempts,
        ms=round((time.perf_counter() - started) * 1000, 1),
        message=message,
        error=answer.error,
    )


async def send_copies(here: World, message: Fields, copies: int) -> list[Pushed]:
    """The same message several times at once, as when every retry overlaps."""
    return list(await asyncio.gather(*(send(here, message) for _ in range(copies))))


async def verify_url(here: World) -> bool:
    """What the platform does when the address is entered in its console: GET with an echostr."""
    echo = ids.token(16)
    reply = await here.http.get(_address(here), params={**_signed(here), "echostr": echo})
    return reply.status_code == 200 and reply.text == echo


async def _tries(here: World, message: Fields, *, lost_before: bool, lost_after: bool) -> tuple[_Answer, int]:
    under_way: set[asyncio.Task[_Answer]] = set()
    last = _Answer(0, error=OUT_OF_ORDER)
    for number in range(1, TRIES + 1):
        if lost_before and number == 1:
            continue
        under_way.add(asyncio.create_task(_try(here, message)))
        finished, under_way = await asyncio.wait(
            under_way, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for task in finished:
            last = task.result()
            if not last.error and not (lost_after and number == 1):
                _let_run(here, under_way)
                return last, number
    _let_run(here, under_way)
    return last if last.error else _Answer(0, error=OUT_OF_ORDER), TRIES


def _let_run(here: World, tasks: set[asyncio.Task[_Answer]]) -> None:
    for task in tasks:
        here.background(task)


async def _try(here: World, message: Fields) -> _Answer:
    signed = {**_signed(here), "openid": message["FromUserName"], "encrypt_type": "aes"}
    body, signed["msg_signature"] = _encrypted(here, message, signed["timestamp"], signed["nonce"])
    try:
        reply = await here.http.post(
            _address(here), params=signed, content=body, headers={"Content-Type": "text/xml"}, timeout=20
        )
    except httpx.HTTPError:
        return _Answer(0, error=OUT_OF_ORDER)
    if reply.status_code != 200:
        return _Answer(reply.status_code, error=OUT_OF_ORDER)
    return _read(here, message, reply.content)


def _read(here: World, message: Fields, body: bytes) -> _Answer:
    """Only an encrypted reply to this very person counts; anything else shows an error, as it would."""
    if body.strip() in {b"", b"success"}:
        return _Answer(200)
    try:
        envelope = xmltodict.parse(body)["xml"]
        plain = _crypto(here).decrypt_message(
            body, envelope["MsgSignature"], envelope["TimeStamp"], envelope["Nonce"]
        )
        reply = dict(xmltodict.parse(plain)["xml"])
        if (reply["ToUserName"], reply["FromUserName"]) != (message["FromUserName"], ACCOUNT):
            return _Answer(200, error=OUT_OF_ORDER)
        shown = _shown(reply)
    except Exception:
        return _Answer(200, error=OUT_OF_ORDER)
    return _Answer(200, reply=shown) if shown else _Answer(200, error=OUT_OF_ORDER)


def _shown(reply: Fields) -> Fields | None:
    """The reply as the phone shows it; None for what the platform would refuse."""
    kind = reply["MsgType"]
    if kind == "text":
        content = reply.get("Content") or ""
        return {"type": "text", "content": content} if 0 < len(content.encode()) <= 2048 else None
    if kind == "news":
        items = reply["Articles"]["item"]
        listed = items if isinstance(items, list) else [items]
        if not 0 < len(listed) <= 8 or int(reply["ArticleCount"]) != len(listed):
            return None
        articles = [{name.lower(): value or "" for name, value in item.items()} for item in listed]
        return {"type": "news", "articles": articles}
    if kind in {"image", "voice", "video", "music"}:
        return {"type": kind, **{name.lower(): value for name, value in reply[kind.capitalize()].items()}}
    if kind == "transfer_customer_service":
        return {"type": kind}
    return None


def _address(here: World) -> str:
    return here.settings.public_base.rstrip("/") + "/wechat"


def _signed(here: World) -> dict[str, str]:
    timestamp, nonce = str(int(clock.now().timestamp())), ids.digits(10)
    signer = WeChatSigner()
    signer.add_data(here.settings.wechat_token, timestamp, nonce)
    return {"signature": signer.signature, "timestamp": timestamp, "nonce": nonce}


def _crypto(here: World) -> WeChatCrypto:
    settings = here.settings
    return WeChatCrypto(settings.wechat_token, settings.wechat_aes_key, settings.wechat_app_id)


def _encrypted(here: World, message: Fields, timestamp: str, nonce: str) -> tuple[bytes, str]:
    """(the envelope, its msg_signature)"""
    whole = _crypto(here).encrypt_message(to_xml(message), nonce, timestamp)
    parts = xmltodict.parse(whole)["xml"]
    envelope = {"ToUserName": ACCOUNT, "Encrypt": parts["Encrypt"]}
    return to_xml(envelope).encode(), str(parts["MsgSignature"])


def to_xml(fields: Fields, root: str = "xml") -> str:
    """As the platform writes it: text in CDATA, numbers bare."""
    inner = "".join(_element(name, value) for name, value in fields.items())
    return f"<{root}>{inner}</{root}>"


def _element(name: str, value: object) -> str:
    if isinstance(value, dict):
        return to_xml(value, name)
    if isinstance(value, list):
        return "".join(_element(name, one) for one in value)
    text = str(value)
    if text.isascii() and text.isdigit():
        return f"<{name}>{text}</{name}>"
    safe = text.replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{safe}]]></{name}>" if safe else f"<{name}>{escape(text)}</{name}>"
