"""删除信息: two people and the law let somebody go; the answer leaves first (D3-06)."""

import asyncpg
import pytest

from backend.core.actor import Actor
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.domains.channels import tickets
from backend.domains.contracts import rules as contract_rules
from backend.domains.customers import service as customers
from backend.domains.customers.erasure_requests import ErasureKept, ErasureMoved, ErasureYours
from backend.domains.identity.model import NotYours
from backend.flows import erase_on_request
from tests.h5.conftest import Desks, desks
from tests.h5.conftest import road as road

from .conftest import JIA, Road, id_number

__all__ = ["desks", "road"]

ONE = Actor("staff", staff_id("4101", 3), "4101", frozenset({"county_admin"}), "管理员")
TWO = Actor("staff", staff_id("0000", 1), "4101", frozenset({"head_office_admin"}), "周省")


async def wish(road: Road, application: Application, openid: str = "") -> str:
    async with road.db.begin(JIA) as tx:
        made = await tickets.open(
            tx, kind="erasure", text="把我的信息删了", openid=openid, customer_id=application.customer_id
        )
    return made.ticket_no


async def status_of(road: Road, application: Application) -> str:
    async with road.db.read(JIA) as tx:
        return (await customers.view(tx, application.customer_id or "")).status


async def act(road: Road, actor: Actor, number: str, what: str) -> None:
    await erase_on_request.erase_on_request(road.context, actor, number, what)


async def test_one_proposes_another_agrees_the_customer_is_told_and_then_forgotten(
    road: Road, owner: asyncpg.Connection
) -> None:
    refused = await road.apply(id_number(701), script={"preset": "queries"})
    number = await wish(road, refused)
    with pytest.raises(NotYours):
        await act(road, JIA, number, "ask")
    await act(road, ONE, number, "ask")
    with pytest.raises(ErasureMoved):
        await act(road, TWO, number, "ask")
    with pytest.raises(ErasureYours):
        await act(road, ONE, number, "agree")
    await act(road, TWO, number, "agree")
    assert await erase_on_request.carry_out(road.context) == 0, "the answer has not left"
    assert await status_of(road, refused) == "active"
    await road.settle()
    assert await erase_on_request.carry_out(road.context) == 1
    assert await erase_on_request.carry_out(road.context) == 0
    assert await status_of(road, refused) == "erased"
    async with road.db.read(JIA) as tx:
        ticket = await tickets.get(tx, number)
    assert (ticket.status, ticket.text) == ("answered", "")
    kinds = await owner.fetch(
        "select action from audit.entries where action like 'customer.eras%' order by seq"
    )
    assert [row[0] for row in kinds] == [
        "customer.erasure_asked",
        "customer.erasure_agreed",
        "customer.erased",
    ]


async def test_a_worker_that_dies_between_the_two_writes_goes_on(
    road: Road, owner: asyncpg.Connection
) -> None:
    refused = await road.apply(id_number(702), script={"preset": "queries"})
    number = await wish(road, refused)
    await act(road, ONE, number, "ask")
    await act(road, TWO, number, "agree")
    await road.settle()
    await erase_on_request.carry_out(road.context)
    await owner.execute("update customers.erasure_requests set done_at = null")
    assert await erase_on_request.carry_out(road.context) == 1
    assert await owner.fetchval("select done_at from customers.erasure_requests") is not None


async def test_who_has_something_open_is_kept_and_the_page_says_why(road: Road) -> None:
    """The law or the contract comes first; nothing is written."""
    referred = await road.apply(id_number(703), script={"preset": "good", "phone": "unknown"})
    number = await wish(road, referred)
    with pytest.raises(ErasureKept) as kept:
        await act(road, ONE, number, "ask")
    assert "有申请还没有结束" in kept.value.text
    refused = await road.apply(id_number(704), script={"preset": "queries"})
    number = await wish(road, refused, "o-complains")
    async with road.db.begin(JIA) as tx:
        await tickets.open(
            tx, kind="complaint", text="没人理", openid="o-complains", customer_id=refused.customer_id
        )
    with pytest.raises(ErasureKept) as kept:
        await act(road, ONE, number, "ask")
    assert "还有别的投诉" in kept.value.text


async def test_who_had_a_loan_is_told_the_law_and_the_day(road: Road) -> None:
    me = id_number(708)
    handed = await road.hand_off(await road.apply(me))
    await road.bank(handed, "open", me)
    await road.bank(handed, "sign", me)
    await road.settle()
    number = await wish(road, handed)
    with pytest.raises(ErasureKept) as kept:
        await act(road, ONE, number, "ask")
    ends = contract_rules.line_until(await road.contract(handed))
    assert f"保存 10 年，最早到 {ends.year + 10} 年 {ends.month} 月 {ends.day} 日" in kept.value.text
    await road.bank(handed, "draw", me, amount_fen=300_000)
    await road.settle()
    with pytest.raises(ErasureKept) as kept:
        await act(road, ONE, number, "ask")
    assert "还有贷款没有还清，从还清那天算起" in kept.value.text


async def test_what_comes_between_the_two_people_stops_the_second(road: Road) -> None:
    refused = await road.apply(id_number(705), script={"preset": "queries"})
    number = await wish(road, refused)
    await act(road, ONE, number, "ask")
    await road.submit(await road.draft(id_number(705), product="XLD"))
    with pytest.raises(ErasureKept):
        await act(road, TWO, number, "agree")
    async with road.db.read(JIA) as tx:
        assert (await tickets.get(tx, number)).status == "open", "nobody was told what does not happen"


async def test_the_ticket_has_the_button_and_says_why_not(road: Road, desks: Desks) -> None:
    refused = await road.apply(id_number(706), script={"preset": "queries"})
    number = await wish(road, refused)
    desk = await desks.of("JX0101")
    await desk.get(f"/console/tickets/4101/{number}")
    await desk.send(desk.page.form("/erasure"), act="ask")
    assert "等另一位管理员或省联社的管理员同意" in desk.words
    form = desk.page.form("/erasure")
    await desk.send(form, act="agree")
    assert (desk.reply.status_code, "要由另一个人同意" in desk.words) == (409, True)
    second = await desks.of("SL0001")
    await second.get(f"/console/tickets/4101/{number}")
    await second.send(second.page.form("/erasure"), act="agree")
    assert "两个人都同意了" in second.words
    await road.settle()
    assert await erase_on_request.carry_out(road.context) == 1
    await second.get(f"/console/tickets/4101/{number}")
    assert "已匿名，找不回来" in second.words
    open_one = await road.apply(id_number(707), script={"preset": "good", "phone": "unknown"})
    await desk.get(f"/console/tickets/4101/{await wish(road, open_one)}")
    assert "现在不能删除：有申请还没有结束" in desk.words
    with pytest.raises(LookupError):
        desk.page.form("/erasure")


async def test_head_office_sees_whom_it_may_let_go_and_the_county_waits(road: Road, desks: Desks) -> None:
    """The county of the demo has one administrator: the second person sits at head office."""
    number = await wish(road, await road.apply(id_number(709), script={"preset": "queries"}))
    one, two = await desks.of("JX0101"), await desks.of("SL0001")
    await two.get("/console")
    assert "等您同意" not in two.words
    await act(road, ONE, number, "ask")
    await one.get("/console")
    assert "您提出删除，等另一位管理员或省联社同意" in one.words.partition("等别人回话的")[2]
    await two.get("/console")
    assert "1 位客户要删信息，等您同意（甲县农商银行）" in two.words
    assert f"/console/tickets/4101/{number}" in two.page.links
    await act(road, TWO, number, "agree")
    await two.get("/console")
    assert "等您同意" not in two.words


async def test_nobody_answers_by_hand_what_the_second_person_is_to_agree_to(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """An answer would close the ticket, and the wish with it: told it is done, the customer would stay."""
    number = await wish(road, await road.apply(id_number(710), script={"preset": "queries"}))
    desk = await desks.of("JX0101")
    await desk.get(f"/console/tickets/4101/{number}")
    form = desk.page.form(f"/console/tickets/4101/{number}")
    await act(road, ONE, number, "ask")
    await desk.send(form, answer="会给您删的")
    assert (desk.reply.status_code, "先点“不删了”" in desk.words) == (422, True)
    await desk.get(f"/console/tickets/4101/{number}")
    with pytest.raises(LookupError):
        desk.page.form(f"/console/tickets/4101/{number}")
    await desk.send(desk.page.form("/erasure"), act="refuse")
    await desk.send(desk.page.form(f"/console/tickets/4101/{number}"), answer="问过您，先不删")
    assert "已答复" in desk.words


async def test_a_wish_answered_by_hand_before_says_that_nobody_was_forgotten(
    road: Road, desks: Desks
) -> None:
    number = await wish(road, await road.apply(id_number(711), script={"preset": "queries"}))
    await act(road, ONE, number, "ask")
    async with road.db.begin(JIA) as tx:
        await tickets.answer(tx, number, "会给您删的")
    desk = await desks.of("JX0101")
    await desk.get(f"/console/tickets/4101/{number}")
    assert "没有删除" in desk.words
    assert "再说一次" in desk.words
    second = await desks.of("SL0001")
    assert "等您同意" in second.words
    await second.get(f"/console/tickets/4101/{number}")
    await second.send(second.page.form("/erasure"), act="refuse")
    assert "已经答复，没有删除" in second.words
    await second.get("/console")
    assert "等您同意" not in second.words, "nobody can agree to it any more"


async def test_what_came_between_leaves_a_way_to_answer(road: Road, desks: Desks) -> None:
    number = await wish(road, await road.apply(id_number(712), script={"preset": "queries"}))
    await act(road, ONE, number, "ask")
    await road.submit(await road.draft(id_number(712), product="XLD"))
    desk = await desks.of("JX0101")
    await desk.get(f"/console/tickets/4101/{number}")
    assert "先点“不删了”，再照这个答复客户" in desk.words
    await desk.send(desk.page.form("/erasure"), act="refuse")
    await desk.send(desk.page.form(f"/console/tickets/4101/{number}"), answer="您又申请了，先不能删")
    assert "已答复" in desk.words
