"""The customer's acts in the bank's app as JSON calls, for tests and journeys. The pages use the same acts."""

from typing import Any

import msgspec
from litestar import Router, post
from litestar.params import FromPath

from backend.sandbox import world
from backend.sandbox.systems.mobile_bank import customer, offers
from backend.sandbox.world import AnyRequest


class Person(msgspec.Struct, forbid_unknown_fields=True):
    id_number: str


class Redeem(msgspec.Struct, forbid_unknown_fields=True):
    id_number: str
    token: str = ""
    short_code: str = ""


class Cancel(msgspec.Struct, forbid_unknown_fields=True):
    id_number: str
    reason: str = ""


class Draw(msgspec.Struct, forbid_unknown_fields=True):
    id_number: str
    amount_fen: int
    term_months: int = 0
    payee_account: str = ""


class Repay(msgspec.Struct, forbid_unknown_fields=True):
    id_number: str
    loan_no: str
    amount_fen: int = 0


@post("/offers", status_code=200)
async def list_offers(request: AnyRequest) -> list[dict[str, Any]]:
    person = await world.body_of(request, Person)
    return offers.of_customer(world.of(request), person.id_number)


@post("/redeem", status_code=200)
async def redeem(request: AnyRequest) -> dict[str, Any]:
    asked = await world.body_of(request, Redeem)
    here = world.of(request)
    return await customer.redeem(here, asked.id_number, token=asked.token, short_code=asked.short_code)


@post("/{application_id:str}/open", status_code=200)
async def open_offer(request: AnyRequest, application_id: FromPath[str]) -> dict[str, Any]:
    person = await world.body_of(request, Person)
    return await customer.open_offer(world.of(request), person.id_number, application_id)


@post("/{application_id:str}/sign", status_code=200)
async def sign(request: AnyRequest, application_id: FromPath[str]) -> dict[str, Any]:
    person = await world.body_of(request, Person)
    return await customer.sign(world.of(request), person.id_number, application_id)


@post("/{application_id:str}/draw", status_code=200)
async def draw(request: AnyRequest, application_id: FromPath[str]) -> dict[str, Any]:
    asked = await world.body_of(request, Draw)
    here = world.of(request)
    return await customer.draw(
        here, asked.id_number, application_id, asked.amount_fen, asked.term_months, asked.payee_account
    )


@post("/{application_id:str}/repay", status_code=200)
async def repay(request: AnyRequest, application_id: FromPath[str]) -> dict[str, Any]:
    asked = await world.body_of(request, Repay)
    here = world.of(request)
    return customer.repay(here, asked.id_number, application_id, asked.loan_no, asked.amount_fen)


@post("/{application_id:str}/cancel", status_code=200)
async def cancel(request: AnyRequest, application_id: FromPath[str]) -> dict[str, Any]:
    asked = await world.body_of(request, Cancel)
    return customer.cancel(world.of(request), asked.id_number, application_id, asked.reason)


router = Router("/bank/api", route_handlers=[list_offers, redeem, open_offer, sign, draw, repay, cancel])
