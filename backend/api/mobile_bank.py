"""手机银行 asks and tells (A3-10, A5-05): redeem, package, document, standing, drawdown, events.

Signed as Standard Webhooks."""

from typing import Annotated

import litestar
import msgspec
from litestar import Router, get, post
from litestar.params import FromPath
from msgspec import Meta

from backend.api import signed
from backend.core.errors import Problem
from backend.flows import (
    check_drawdown,
    give_document,
    give_package,
    receive_bank_event,
    redeem_hand_off,
    tell_standing,
)
from backend.integrations.mobile_bank.port import Event, Offer
from backend.web.http import Request, Response, Whole

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Redeem(msgspec.Struct, forbid_unknown_fields=True):
    """One of the two, and who is logged in at the bank."""

    customer_hash: Hash
    token: Annotated[str, Meta(max_length=2048)] = ""
    short_code: Annotated[str, Meta(max_length=32)] = ""


class Package(msgspec.Struct, forbid_unknown_fields=True):
    application_id: Id
    customer_hash: Hash


class Document(msgspec.Struct, forbid_unknown_fields=True):
    application_id: Id
    document_id: Id


class Drawdown(msgspec.Struct, forbid_unknown_fields=True):
    """`request_no` is the bank's own number of this drawdown; asked again, the answer is the same."""

    application_id: Id
    customer_hash: Hash
    request_no: Id
    line_no: Id
    amount_fen: Annotated[int, Meta(gt=0, le=10**13)]
    account_no: Annotated[str, Meta(min_length=1, max_length=40)]
    payee_account: Annotated[str, Meta(max_length=40)] = ""
    purpose: Annotated[str, Meta(max_length=40)] = ""


class StrictEvent(Event, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The event as it must come over the wire."""


@post("/redeem", status_code=200)
async def redeem(request: Request) -> Response:
    asked = await signed.read(request, signed.Caller.MOBILE_BANK, Redeem)
    offer = await redeem_hand_off.redeem_hand_off(
        request.app.state.context,
        customer_hash=asked.customer_hash,
        token=asked.token,
        short_code=asked.short_code,
    )
    return _offer(offer)


@post("/package", status_code=200)
async def package(request: Request) -> Response:
    asked = await signed.read(request, signed.Caller.MOBILE_BANK, Package)
    context = request.app.state.context
    return _offer(await give_package.give_package(context, asked.application_id, asked.customer_hash))


@post("/document", status_code=200)
async def document(request: Request) -> Response:
    asked = await signed.read(request, signed.Caller.MOBILE_BANK, Document)
    context = request.app.state.context
    content = await give_document.give_document(context, asked.application_id, asked.document_id)
    return litestar.Response(content, media_type="application/pdf")


@get("/standing/{institution_id:str}/{application_id:str}")
async def standing(
    request: Request, institution_id: FromPath[str], application_id: FromPath[str]
) -> Response:
    """Whether the offer may still be signed: asked right before the signature, so it costs one look-up."""
    signed.check(request)
    context = request.app.state.context
    told = await tell_standing.tell_standing(context, institution_id, application_id)
    return Whole(msgspec.json.encode(told), media_type="application/json")


@post("/drawdown", status_code=200)
async def drawdown(request: Request) -> Response:
    """May this money go out? Only on `allow`, for this amount, until `valid_until` (A7-06)."""
    asked = await signed.read(request, signed.Caller.MOBILE_BANK, Drawdown)
    question = check_drawdown.Question(**msgspec.structs.asdict(asked))
    told = await check_drawdown.check_drawdown(request.app.state.context, question)
    return Whole(msgspec.json.encode(told), media_type="application/json")


@post("/events", status_code=204, opt={"message_id": "event_id"})
async def events(request: Request) -> None:
    """204 once the event is stored, also for a repeat; it is applied in its turn."""
    event = await signed.read(request, signed.Caller.MOBILE_BANK, StrictEvent)
    await receive_bank_event.receive_bank_event(request.app.state.context, event)


def _offer(offer: Offer) -> Response:
    return Whole(msgspec.json.encode(offer), media_type="application/json")


router = Router(
    path="/api/mobile-bank",
    before_request=signed.keyed,
    route_handlers=[redeem, package, document, standing, drawdown, events],
    exception_handlers={Problem: signed.answer_problem},
    request_max_body_size=signed.LARGEST_BODY,
)
