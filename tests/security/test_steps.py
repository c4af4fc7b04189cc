"""Every POST of the customer's road in every state of an application: what is not its turn writes nothing (ASVS 2.3.1).

A skipped or repeated step of a draft is answered 303 to the step whose turn it is (204 with HX-Redirect to htmx): a
villager who pressed back comes to the right page instead of an error. Where nothing is left to do, it is 409 or 404.
"""

from datetime import timedelta

import asyncpg
import pytest

from backend.core import clock, ids
from backend.sandbox.specimens.people import Person
from tests.h5.customer.conftest import Phone, Studio
from tests.h5.customer.test_edges import At, confirm_disclosure, to_approved
from tests.security.conftest import Census, routes_of, with_token
from tests.security.test_hostile_input import fields_of

STATES = ("identity", "phone", "liveness", "details")
TURN: dict[str, tuple[str, ...]] = {
    "/apply/identity/front": ("identity",),
    "/apply/identity/back": ("identity",),
    "/apply/identity/confirm": ("identity",),
    "/apply/phone": ("phone",),
    "/apply/consents": ("phone",),
    "/apply/liveness": ("liveness",),
    "/apply/liveness/other-way": ("phone", "liveness"),  # from the phone: to the branch, without a consent
    "/apply/details": ("details",),
    "/apply/submit": ("details",),
    "/apply/give-up": STATES,
    "/my/{number:str}/cancel": (*STATES, "handed_off"),  # of a draft it is giving up
    "/my/{number:str}/hand-off": (
        "handed_off",
        "signed",
        "drawn",
    ),  # the way to the bank, with a token of its own
    "/my/{number:str}/hand-off/code": ("handed_off", "signed", "drawn"),
}
OWN_MEMORY = {"xd.quota", "outbox.idempotency"}
"""Counts knocks, and knows a knock again: not steps."""


async def _out_of_turn(studio: Studio, phone: Phone, number: str, census: Census, step: str) -> list[str]:
    """What was answered otherwise than by leading on, or wrote, of all POSTs whose turn it is not."""
    token, wrong = await with_token(phone), []
    for route in routes_of(studio.app):
        if route.method != "POST" or not route.path.startswith(("/apply/", "/my/")):
            continue
        if route.path == "/apply/start" or step in TURN.get(route.path, ()):
            continue
        for headers in ({}, {"HX-Request": "true"}):
            before = await census.digests()
            given = dict.fromkeys(fields_of(studio, route), "1") | {
                "csrf_token": token,
                "form_key": ids.new(),
            }
            reply = await phone.http.post(route.at(number=number), data=given, headers=headers)
            led = reply.headers.get("location") or reply.headers.get("hx-redirect")
            read_first = (
                route.path.endswith("review-request") and reply.status_code == 422
            )  # the ground, no turn
            if not (led or read_first or reply.status_code in {404, 409}):
                wrong.append(f"{step}: {route} {headers}: {reply.status_code}")
            if changed := await census.changed(before) - OWN_MEMORY:
                wrong.append(f"{step}: {route} {headers}: wrote {sorted(changed)}")
    return wrong


@pytest.mark.parametrize("step", STATES)
async def test_a_draft_takes_only_the_step_whose_turn_it_is(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection, step: str
) -> None:
    if step == "identity":
        await phone.start()
        [draft] = await studio.all_applications()
        number = draft.application_no
    else:
        number = await studio.draft_at(phone, step, zhang)
    assert await _out_of_turn(studio, phone, number, Census(owner), step) == []


@pytest.mark.parametrize("status", ["submitted", "declined", "expired", "cancelled"])
async def test_what_is_handed_in_takes_no_step_of_the_draft_again(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection, status: str
) -> None:
    number = await phone.to_result(zhang)
    if status != "submitted":
        await owner.execute(
            "set session_replication_role = replica"
        )  # not the road there: only the place counts
        await owner.execute(
            "update applications.applications set status = $1 where application_no = $2", status, number
        )
    await studio.world.callbacks.idle(5)  # the platform's receipts are no work of ours
    wrong = await _out_of_turn(studio, phone, number, Census(owner), status)
    assert [each for each in wrong if ": POST /apply/" in each] == []
    assert [each for each in wrong if ": 5" in each] == []


@pytest.mark.parametrize("status", ["handed_off", "signed", "drawn"])
async def test_what_is_at_the_mobile_bank_takes_no_step_here_again(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection, status: str
) -> None:
    """On the road that leads there, so that contract, token and loan are real."""
    number = await to_approved(studio, phone, zhang)
    await confirm_disclosure(phone, number)
    with clock.at(clock.now() + timedelta(seconds=30)):
        await studio.drain()
    [application] = await studio.all_applications()
    bank = At(studio, application.id, zhang.id_number)
    if status != "handed_off":
        await bank.do("open")
        await bank.do("sign")
    if status == "drawn":
        await bank.do("draw", amount_fen=300_000)
    [application] = await studio.all_applications()
    assert application.status == status
    await studio.world.callbacks.idle(5)  # the platform's receipts are no work of ours
    wrong = await _out_of_turn(studio, phone, number, Census(owner), status)
    assert [each for each in wrong if ": POST /apply/" in each or ": 5" in each] == []
    assert [each for each in wrong if "wrote" in each] == []
    assert [each.status for each in await studio.all_applications()] == [status]
