"""What staff answer reaches who asked: the whole of it in the chat, else word that there is one (D4-09, N17)."""

from datetime import timedelta
from typing import Any

import pytest

from backend.core import clock
from backend.core.actor import system
from backend.core.errors import Invalid
from backend.domains.channels import notices, tickets
from backend.domains.channels.model import Ticket
from backend.flows import send_answer
from backend.jobs import worker
from tests.bot import people
from tests.bot.conftest import World, id_number, world
from tests.flows.test_notify import LATER, OPENID, allow_notice, bound_customer, drain_in_time, fault, told

__all__ = ["id_number", "world"]

JIA = system("4101", "test")
ANSWER = "您的申请缺一张土地承包合同，带到柳林支行就行。利息 5% & 没有别的收费 <放心>"


async def asked(world: World) -> Ticket:
    """The person asks for somebody in the chat."""
    await world.phone(OPENID).say("人工")
    async with world.db.read(JIA) as tx:
        return (await tickets.of_openid(tx, OPENID))[0]


async def answer(world: World, ticket: Ticket, text: str = ANSWER) -> None:
    async with world.db.begin(JIA) as tx:
        await send_answer.announce(tx, await tickets.answer(tx, ticket.ticket_no, text))
    await worker.drain(world.context)


async def notice_of(world: World, ticket: Ticket) -> notices.Notice:
    async with world.db.read(JIA) as tx:
        [found] = await notices.of_case(tx, ticket.ticket_no)
    return found


async def last_words(world: World) -> str:
    return str((await world.phone(OPENID).inbox("custom"))[-1]["body"]["content"])


async def test_in_the_window_the_whole_answer_comes_into_the_chat_once(world: World, id_number: str) -> None:
    await bound_customer(world, id_number)
    ticket = await asked(world)
    await answer(world, ticket)
    words = await last_words(world)
    assert (ticket.ticket_no in words, ANSWER in words) == (True, True), "as written, nothing escaped"
    assert [effect for effect, _ in await told(world)] == ["custom_message"]
    assert (await notice_of(world, ticket)).means == "custom"


async def test_after_the_window_a_grant_is_used_and_the_chat_gives_the_answer(
    world: World, id_number: str
) -> None:
    await bound_customer(world, id_number)
    ticket = await asked(world)
    await allow_notice(world)
    with clock.at(clock.now() + LATER):
        await answer(world, ticket)
        assert [effect for effect, _ in await told(world)] == ["subscription_message"]
        assert (await notice_of(world, ticket)).means == "subscription"
        for words in ("答复", f"看{ticket.ticket_no}", ticket.ticket_no.lower()):
            reply = await world.phone(OPENID).say(words)
            assert ANSWER in str(reply), words


async def test_without_a_grant_an_sms_says_that_there_is_an_answer_and_not_what(
    world: World, id_number: str
) -> None:
    await bound_customer(world, id_number)
    ticket = await asked(world)
    with clock.at(clock.now() + LATER):
        await answer(world, ticket)
    [sent] = world.ledger("sms")
    assert (sent["effect"], ANSWER in str(sent)) == ("sms_sent", False)
    found = await notice_of(world, ticket)
    assert found.means == "sms"
    assert {s["means"]: s["outcome"] for s in found.steps} == {
        "custom": "window closed",
        "subscription": "no grant",
        "sms": "trying",
    }


async def test_a_complaint_of_nobody_known_ends_without_means_and_says_so(world: World) -> None:
    async with world.db.begin(JIA) as tx:
        ticket = await tickets.open(tx, kind="complaint", text="打电话来说的")
    await answer(world, ticket)
    found = await notice_of(world, ticket)
    assert (found.means, found.sent_at, found.ended_at is not None) == (None, None, True)
    assert await told(world) == []


async def test_a_platform_that_drops_the_answer_is_asked_again_with_the_same_key(
    world: World, id_number: str
) -> None:
    await bound_customer(world, id_number)
    ticket = await asked(world)
    await fault(world, system="wechat", operation="cgi-bin/message/custom/send", fault="drop_after", times=1)
    await answer(world, ticket)
    with clock.at(clock.now() + timedelta(minutes=5)):
        await worker.drain(world.context)
    assert len(await world.phone(OPENID).inbox("custom")) == 1


async def test_a_notice_the_platform_could_not_show_is_told_by_sms(world: World, id_number: str) -> None:
    await bound_customer(world, id_number)
    ticket = await asked(world)
    await allow_notice(world)
    await fault(world, system="wechat", operation="report", fault="errcode", args={"errcode": 107001})
    with clock.at(clock.now() + LATER):
        await answer(world, ticket)
        await world.settle()
        await drain_in_time(world, rounds=3)
    assert sorted(effect for effect, _ in await told(world)) == ["sms_sent", "subscription_message"]
    assert (await notice_of(world, ticket)).means == "sms"


async def test_an_answer_too_long_for_the_chat_is_refused_before_it_is_kept(world: World) -> None:
    async with world.db.begin(JIA) as tx:
        ticket = await tickets.open(tx, kind="human", text="", openid=OPENID)
    with pytest.raises(Invalid):
        await answer(world, ticket, "字" * 501)
    async with world.db.read(JIA) as tx:
        assert (await tickets.get(tx, ticket.ticket_no)).status == "open"


async def test_nobody_is_given_the_answer_to_somebody_elses_number(world: World, id_number: str) -> None:
    await bound_customer(world, id_number)
    ticket = await asked(world)
    await answer(world, ticket)
    other: Any = world.phone("oStranger0001")
    await other.act(kind="subscribe")
    await other.say("甲县")
    for words in ("答复", ticket.ticket_no):
        assert ANSWER not in str(await other.say(words))
    assert await people.customer(world.db, id_number)
