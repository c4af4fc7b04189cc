"""What we ask of the mobile bank: push and withdraw offers, ask for status, fetch the day's file."""

import hashlib
from datetime import date
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from backend.sandbox import world
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import encoded
from backend.sandbox.systems.mobile_bank import offers
from backend.sandbox.systems.mobile_bank.offers import SYSTEM
from backend.sandbox.world import AnyRequest


class Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    reason: str


@post("/offers")
async def put_offer(request: AnyRequest) -> Response[bytes]:
    here, offer = world.of(request), await world.body_of(request, offers.Offer)
    if len(offer.customer_hash) != 64 or offer.limit_fen <= 0 or not offer.documents:
        raise Refusal(400, "offer_incomplete", "要约不完整")
    return await world.effect(
        request,
        system=SYSTEM,
        effect="offer_received",
        case=offer.application_id,
        work=lambda: offers.receive(here, offer),
    )


@get("/offers/{application_id:str}")
async def status(request: AnyRequest, application_id: FromPath[str]) -> dict[str, Any]:
    return offers.status(world.of(request), application_id)


@post("/offers/{application_id:str}/withdraw")
async def withdraw(request: AnyRequest, application_id: FromPath[str]) -> Response[bytes]:
    here, asked = world.of(request), await world.body_of(request, Withdrawal)

    def work() -> dict[str, Any]:
        offer = offers.find(here, application_id)
        if offer["status"] not in {"waiting", "opened", "expired", "cancelled"}:
            raise Refusal(409, "already_signed", "这笔申请已经签约，不能撤回")
        if offer["status"] != "cancelled":
            offers.save(here, {**offer, "status": "cancelled", "withdrawn": asked.reason})
        return offers.status(here, application_id)

    return await world.effect(
        request, system=SYSTEM, effect="offer_withdrawn", case=application_id, work=work
    )


class Message(msgspec.Struct, forbid_unknown_fields=True):
    customer_hash: str
    case_id: str
    title: str
    text: str


@post("/messages")
async def tell(request: AnyRequest) -> Response[bytes]:
    here, message = world.of(request), await world.body_of(request, Message)
    if not message.title.strip() or not message.text.strip():
        raise Refusal(400, "message_empty", "消息没有内容")
    if not offers.knows(here, message.customer_hash):
        raise Refusal(404, "customer_unknown", "没有这位客户")
    return await world.effect(
        request,
        system=SYSTEM,
        effect="message_shown",
        case=message.case_id,
        work=lambda: offers.show_message(here, message.customer_hash, message.title, message.text),
    )


@get("/reconciliation/{institution_id:str}/{on:date}")
async def reconciliation(
    request: AnyRequest, institution_id: FromPath[str], on: FromPath[date]
) -> dict[str, Any]:
    listed = offers.events_of_day(world.of(request), institution_id, on)
    sha256 = hashlib.sha256(encoded(listed).encode()).hexdigest()
    return {"institution_id": institution_id, "on": on, "events": listed, "sha256": sha256}


@get("/effects/{key:str}")
async def effects(request: AnyRequest, key: FromPath[str]) -> dict[str, object]:
    return world.answered(world.of(request), SYSTEM, key)


router = Router("/mobile-bank", route_handlers=[put_offer, status, withdraw, tell, reconciliation, effects])
