"""A reviewer at the case page: sees why, answers with fresh proof, gives it back; others only look (A7-05, D3-03)."""

from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import system
from backend.demo import staff_id
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.audit import service as audit
from backend.domains.channels import tickets
from backend.domains.decision import facts
from backend.flows import request_review
from backend.jobs.handlers import HANDLERS
from backend.outbox import effects
from backend.overview import case_file, work_list
from h5.console.dead_letters import KINDS
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desk, Desks, written
from tests.h5.scene import dead_letter, referred, review_of, scene

YES = {
    "outcome": "approved",
    "amount": "20000",
    "rate": "6.00",
    "term": "12",
    "reason": "到家里看过，收入属实",
}


async def open_case(desks: Desks, road: Road, owner: asyncpg.Connection, staff_no: str = "JX0201") -> Desk:
    """A referred case before a reviewer."""
    application = await referred(road, owner, "4101", 501)
    desk = await desks.of(staff_no)
    await desk.get(f"/console/cases/{application.application_no}")
    assert desk.reply.status_code == 200
    return desk


async def test_the_list_says_whom_what_why_until_when_and_who_has_the_ball(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await scene(road, owner)
    desk = await desks.of("JX0201")
    for words in ("先要我办的", "张*", "随享贷", "30,000 元", "转人工：", "客户经理李四核实中", "还有"):
        assert words in desk.words
    assert "张三" not in desk.words


async def test_what_is_late_comes_first_and_is_said_in_words(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    first = await referred(road, owner, "4101", 502)
    second = await referred(road, owner, "4101", 503)
    await owner.execute(
        "update reviews.reviews set due_at = now() - interval '3 hours' where application_id = $1", second.id
    )
    desk = await desks.of("JX0201")
    assert "超时 3 小时" in desk.words
    order = [link for link in desk.page.links if link.startswith("/console/cases/")]
    assert order == [f"/console/cases/{a.application_no}" for a in (second, first)]


async def test_the_case_page_draws_the_way_and_masks_the_person(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    for words in (
        "反欺诈",
        "准入",
        "评级",
        "定额",
        "定价",
        "转人工",
        "结果",
        "额度被哪一条卡住",
        "就是它",
        "征信报告",
    ):
        assert words in desk.words, words
    number = id_number(501)
    for secret in ("张三", number, number[6:14], "柳林村0501", f"139{number[-8:-1]}0"):
        assert secret not in desk.reply.text, secret


async def test_who_need_not_know_the_figures_sees_the_way_without_them(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner, "JX0101")
    assert "反欺诈" in desk.words
    for words in ("额度被哪一条卡住", "用到的资料", "您的意见"):
        assert words not in desk.words


async def test_an_approval_reaches_the_customer_and_is_written_down(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    await desk.send(desk.page.form("/answer"), **YES)
    assert "已通过" in desk.words
    assert "您的意见" not in desk.words
    application_id = str(await owner.fetchval("select application_id from reviews.reviews"))
    async with road.db.read(JIA) as tx:
        entries = await audit.of(tx, application_id)
    assert ("review.answered", f"staff:{staff_id('4101', 4)}") in {(e.action, e.actor) for e in entries}
    assert await owner.fetchval("select limit_amount from contracts.contracts") == 20_000


async def test_a_decline_needs_its_reason_and_keeps_what_was_typed(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    await desk.send(desk.page.form("/answer"), outcome="declined", reason="不")
    assert desk.reply.status_code == 422
    assert "请写明理由，客户会看到" in desk.words
    await desk.send(desk.page.form("/answer"), **(YES | {"amount": "9000000", "rate": "80"}))
    assert desk.reply.status_code == 422
    assert f">{YES['reason']}</textarea>" in desk.reply.text
    assert "金额要在" in desk.words
    assert "年利率要在" in desk.words


@pytest.mark.parametrize("typed", ["abc", "-5", "1e99999", "NaN", "", "１２"])
async def test_a_figure_that_is_none_is_a_sentence_beside_the_field(
    road: Road, desks: Desks, owner: asyncpg.Connection, typed: str
) -> None:
    desk = await open_case(desks, road, owner)
    await desk.send(desk.page.form("/answer"), **(YES | {"amount": typed}))
    assert desk.reply.status_code == 422
    assert "金额要在" in desk.words


async def test_after_five_minutes_the_person_proves_again_and_nothing_typed_is_lost(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk, start = await open_case(desks, road, owner), clock.now()
    form, path = desk.page.form("/answer"), desk.path
    with clock.at(start + timedelta(minutes=6)):
        before = await written(owner)
        await desk.send(form, **YES)
        assert desk.reply.status_code == 403
        assert f">{YES['reason']}</textarea>" in desk.reply.text
        after = await written(owner)
        changed = {name for name in after if after[name] != before[name]}
        assert changed <= {"identity.staff_sessions"}, "only the idle clock"
        kept = desk.page.form("/answer")
        await desk.confirm()
        assert desk.path == path
        await desk.send(kept, **YES)
        assert "已通过" in desk.words


async def test_a_page_opened_late_asks_for_the_proof_before_the_form(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk, start = await open_case(desks, road, owner), clock.now()
    with clock.at(start + timedelta(minutes=6)):
        await desk.get(desk.path)
        with pytest.raises(LookupError):
            desk.page.form("/answer")
        await desk.confirm()
        assert desk.page.form("/answer")


async def test_a_double_tap_decides_once_and_shows_the_result(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    form = desk.page.form("/answer")
    for _ in range(2):
        await desk.send(form, **YES)
        assert desk.reply.status_code == 200
    assert await owner.fetchval("select count(*) from contracts.contracts") == 1
    await desk.send(form, **(YES | {"outcome": "declined"}))
    assert desk.reply.status_code == 409
    assert "已经由别人答复了" in desk.words
    assert "已通过" in desk.words, "the result stands on the same page"


async def test_the_officer_of_the_case_does_not_decide_it_even_as_a_reviewer(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await owner.execute("update identity.staff set roles = '{officer,reviewer}' where staff_no = 'JX0427'")
    desk = await open_case(desks, road, owner, "JX0427")
    assert "要由另一位审查人来看" in desk.words
    review = await owner.fetchval("select id from reviews.reviews")
    token = desk.page.form("/staff/sign-out").values["csrf_token"]
    reply = await desk.http.post(f"/console/reviews/{review}/answer", data={"csrf_token": token, **YES})
    assert reply.status_code == 403
    assert await owner.fetchval("select status from reviews.reviews") == "open"


async def test_who_declined_a_case_does_not_answer_the_customers_request_about_it(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    await desk.send(desk.page.form("/answer"), outcome="declined", reason="收入说不清楚")
    number = desk.path.rsplit("/", 1)[1]
    application = await by_number(road, number)
    await request_review.request_review(road.context, JIA, application.id, "wrong_data", "账单没算进去")
    await desk.get(desk.path)
    assert "要由另一位审查人来看" in desk.words
    asked = await review_of(road, application, "requested")
    token = desk.page.form("/staff/sign-out").values["csrf_token"]
    said = {"csrf_token": token, "outcome": "upheld", "reason": "我看就是不行"}
    assert (await desk.http.post(f"/console/reviews/{asked.id}/answer", data=said)).status_code == 403
    second = await desks.of("JX0202")
    assert "客户申请人工复核：资料里有不对的地方" in second.words
    await second.get(f"/console/cases/{number}")
    assert "账单没算进去" in second.words
    await second.send(second.page.form("/answer"), outcome="upheld", reason="重新看过账单，收入仍不够")
    assert "维持原结果" in second.words
    review = await review_of(road, application, "requested")
    assert (review.outcome, review.answered_by) == ("upheld", f"staff:{staff_id('4101', 5)}")


async def by_number(road: Road, number: str) -> Application:
    async with road.db.read(JIA) as tx:
        return await applications.by_number(tx, number)


async def test_a_case_goes_back_to_the_officer_and_returns_with_the_answer(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    due = await owner.fetchval("select due_at from reviews.reviews")
    await desk.send(desk.page.form("/return"), question="？")
    assert desk.reply.status_code == 422
    await desk.send(desk.page.form("/return"), question="家里几口人干活，看看大棚")
    assert "等客户经理答复" in desk.words
    await desk.send(desk.page.form("/return"), question="再问一件别的事")
    assert desk.reply.status_code == 409
    officer = await desks.of("JX0427")
    assert "审查人请您核实" in officer.words
    assert "看看大棚" in officer.words
    link = next(each for each in officer.page.links if each.startswith("/studio/inquiries/"))
    await officer.get(link)
    await officer.send(officer.page.form(link), answer="11 月 26 日到家里，大棚两个，三个人干活")
    assert officer.path == "/studio"
    assert "审查人请您核实" not in officer.words
    await desk.get("/console")
    assert "等审查人" in desk.words
    assert await owner.fetchval("select due_at from reviews.reviews") == due, "the customer's clock goes on"
    sealed = await owner.fetchval("select string_agg(t::text, '') from reviews.inquiries t")
    assert "大棚".encode().hex() not in sealed
    assert (await officer.get(link)).status_code == 404


async def test_a_case_without_an_officer_cannot_be_given_back(road: Road, desks: Desks) -> None:
    application = await road.apply(id_number(504), script={"preset": "no_income"})
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{application.application_no}")
    assert "没有客户经理，不能退回" in desk.words


async def test_a_dead_letter_is_sent_again_once_with_a_reason_and_a_fresh_proof(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    dead = await dead_letter(road, "4101")
    start = clock.now()
    desk = await desks.of("JX0301")
    assert "没送到" in desk.words
    with clock.at(start + timedelta(minutes=6)):
        await desk.get("/console/dead-letters")
        token = desk.page.form("/staff/confirm").values["csrf_token"]
        path = f"/console/dead-letters/4101/{dead}"
        stale = await desk.http.post(path, data={"csrf_token": token, "reason": "对方恢复了"})
        assert stale.status_code == 403
        assert await owner.fetchval("select status from outbox.effects where id = $1", dead) == "dead"
        await desk.confirm()
        await desk.send(desk.page.form(path), reason="")
        assert desk.reply.status_code == 422
        await desk.send(desk.page.form(path), reason="对方恢复了")
        assert "已经排上" in desk.words
        again = await desk.http.post(path, data={"csrf_token": token, "reason": "对方恢复了"})
        assert again.status_code == 404
    assert await owner.fetchval("select status from outbox.effects where id = $1", dead) == "waiting"
    async with road.db.read(system("4101", "test")) as tx:
        [entry] = [e for e in await audit.of(tx, dead) if e.action == "effect.revived"]
    assert "对方恢复了" in entry.details


async def test_who_answers_a_ticket_calls_with_a_reason_that_leaves_a_row(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """The county's admin is told to phone, so the number is there to phone (D3-15); not for who only reads."""
    made = await scene(road, owner)
    path, number = f"/console/tickets/4101/{made.call}", id_number(301)
    phone = f"139{number[-8:-1]}0"
    desk = await desks.of("JX0101")
    await desk.get(path)
    assert phone not in desk.reply.text
    form = desk.page.form(f"{path}/phone")
    await desk.send(form, reason="")
    assert (desk.reply.status_code, phone in desk.reply.text) == (422, False)
    await desk.send(form, reason="答复客户找人工")
    assert (desk.reply.status_code, f'href="tel:{phone}"' in desk.reply.text) == (200, True)
    async with road.db.read(JIA) as tx:
        entries = await audit.of(tx, made.application.customer_id or "")
    [row] = [each for each in entries if each.action == "customer.revealed"]
    assert row.actor == f"staff:{staff_id('4101', 3)}"
    assert "答复客户找人工" in row.details
    for reader in ("JX0401", "SL0001"):
        other = await desks.of(reader)
        await other.get(path)
        assert f"{path}/phone" not in other.reply.text, reader
    await desk.get(f"/console/tickets/4101/{made.ticket}")
    assert "还不知道是谁，没有手机号" in desk.words
    await desk.get(path)
    await desk.send(desk.page.form(path), answer="打过电话，讲清了利息")
    await desk.send(form, reason="答复客户找人工")
    assert ("已答复" in desk.words, phone in desk.reply.text) == (True, False)


async def test_a_ticket_and_a_report_are_answered_once(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    desk = await desks.of("JX0101")
    for words in ("投诉", "等了三天没人理我", "有人向我收费：有人要 200 元"):
        assert words in desk.words
    for path in (f"/console/tickets/4101/{made.ticket}", f"/console/reports/4101/{made.report}"):
        await desk.get(path)
        form = desk.page.form(path)
        await desk.send(form, answer="好")
        assert desk.reply.status_code == 422
        for _ in range(2):
            await desk.send(form, answer="打过电话，已经说明白了")
            assert desk.reply.status_code == 200
        assert "打过电话" in desk.words
        await desk.send(form, answer="换一种说法再答一次")
        assert desk.reply.status_code == 409
    await desk.get("/console")
    assert "等了三天" not in desk.words
    secrets = await owner.fetchval("select string_agg(t::text, '') from campaigns.reports t")
    assert "打过电话".encode().hex() not in secrets


async def test_one_revoke_reaches_every_copy_of_a_code(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    assert (await road.web.get(f"/q/{made.token}")).status_code == 200
    desk = await desks.of("JX0101")
    await desk.get("/console/officers")
    assert "李四 JX0427" in desk.words
    await desk.get(f"/console/officers/4101/{made.officer}")
    form = desk.page.form(f"/console/codes/{made.code}/revoke")
    await desk.send(form, reason="")
    assert desk.reply.status_code == 422
    await desk.send(form, reason="海报被人改过")
    assert "已作废" in desk.words
    with clock.at(clock.now() + timedelta(seconds=1)):
        assert (await road.web.get(f"/q/{made.token}")).status_code == 410, "within a second"
    officer = await desks.of("JX0427")
    await officer.get(f"/studio/codes/{made.code}")
    assert "海报被人改过" in officer.words
    assert '<svg class="qr"' not in officer.reply.text
    assert (await officer.get(f"/studio/codes/{made.code}/poster")).status_code == 409
    assert (await officer.get(f"/studio/codes/{made.code}/poster.jpg")).status_code == 409


async def test_the_support_desk_finds_its_own_masked_and_leaves_a_row(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    desk = await desks.of("JX0101")
    await desk.get("/console/support")
    await desk.send(desk.page.form("/console/support"), what=made.number)
    assert "人工审查中" in desk.words
    assert "张三" not in desk.reply.text
    assert id_number(301) not in desk.reply.text
    async with road.db.read(JIA) as tx:
        entries = await audit.of(tx, made.number)
    assert ("support.inspect", f"staff:{staff_id('4101', 3)}") in {(e.action, e.actor) for e in entries}
    await desk.send(desk.page.form("/console/support"), what="oNobody12345678")
    assert desk.reply.status_code == 404
    assert "oNobody12345678" not in desk.reply.text, "an account id does not come back in the page"


async def test_head_office_sees_every_county_and_decides_nothing(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await scene(road, owner, "4102", 505)
    desk = await desks.of("SL0001")
    assert "乙县农商银行" in desk.words
    await desk.get("/console/counties/4102")
    assert "只能看" in desk.words
    number = next(each for each in desk.page.links if each.startswith("/console/cases/"))
    await desk.get(number)
    assert desk.reply.status_code == 200
    assert "您的意见" not in desk.words
    await desk.get("/console/dead-letters?in=4102")
    assert "再送一次" in desk.words, "an act that is head office's own"


async def test_the_menu_shows_the_eight_groups_and_says_what_is_not_open(desks: Desks) -> None:
    desk = await desks.of("JX0101")
    shut = ("渠道接入", "产品工厂", "决策流配置", "合同管理", "授信管理")
    for group in shut:
        assert f"{group} 未开通" in desk.words
    for group in ("快贷客户管理", "营销管理", "业务监控"):
        assert group in desk.words
        assert f"{group} 未开通" not in desk.words


async def test_every_item_of_the_menu_opens_for_whoever_is_shown_it(desks: Desks) -> None:
    for staff_no in ("JX0101", "JX0201", "JX0301", "JX0401", "SL0001", "SL0002", "SL0003", "JX0427"):
        desk = await desks.of(staff_no)
        for link in {each for each in desk.page.links if each.startswith(("/console", "/studio"))}:
            assert (await desk.http.get(link)).status_code == 200, f"{staff_no} {link}"


def test_every_fact_is_written_in_chinese() -> None:
    """Enumerations of the catalogue have a label for each member a case page may show."""
    for fact in facts.catalogue().facts.values():
        if fact.kind == "enum" and fact.source in case_file.SOURCES:
            for member in fact.members:
                pair = case_file._pair(fact.name, member)
                assert pair is not None
                assert not pair[1].isascii(), f"{fact.name} {member}"


async def test_what_came_through_no_county_waits_at_head_office_and_is_answered_there(
    road: Road, desks: Desks
) -> None:
    async with road.db.begin(system("0000", "test")) as tx:
        lost = await tickets.open(tx, kind="complaint", text="扫码扫不开", openid="oStranger")
    async with road.db.begin(JIA) as tx:
        county = await tickets.open(tx, kind="complaint", text="等了三天", openid="oKnown")
    desk = await desks.of("SL0001")
    assert "省联社 0 0 1 0 0 没有超时" in desk.words
    await desk.get("/console/counties/0000")
    path = f"/console/tickets/0000/{lost.ticket_no}"
    assert path in desk.page.links
    await desk.get(path)
    form = desk.page.form(path)
    await desk.send(form, answer="打过电话，教他换个角度扫")
    assert desk.reply.status_code == 200
    assert "已答复" in desk.words
    await desk.get("/console/counties/4101")
    foreign = f"/console/tickets/4101/{county.ticket_no}"
    assert foreign in desk.page.links
    await desk.get(foreign)
    assert "由本行管理员答复" in desk.words
    await desk.send(msgspec.structs.replace(form, action=foreign), answer="替县里答一次")
    assert desk.reply.status_code == 422


@pytest.mark.parametrize(("staff_no", "follows"), [("JX0201", False), ("JX0301", False), ("JX0401", True)])
async def test_the_list_links_only_to_pages_the_role_may_open(
    road: Road, desks: Desks, owner: asyncpg.Connection, staff_no: str, follows: bool
) -> None:
    await scene(road, owner)
    desk = await desks.of(staff_no)
    assert "等了三天没人理我" in desk.words
    links = [link for link in desk.page.links if "/tickets/" in link or "/reports/" in link]
    assert bool(links) is follows
    for link in [each for each in desk.page.links if each.startswith("/console")]:
        assert (await desk.http.get(link)).status_code == 200, link


async def test_what_was_written_when_the_session_ended_is_sent_again_after_signing_in(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    form = desk.page.form("/answer")
    await owner.execute("update identity.staff_sessions set seen_at = now() - interval '16 minutes'")
    forged = msgspec.structs.replace(form, values={**form.values, "csrf_token": "x"})
    await desk.send(forged, **YES)
    assert desk.reply.status_code == 403
    assert YES["reason"] not in desk.reply.text, "only our own form is shown again"
    await desk.send(form, **YES)
    assert desk.reply.status_code == 403
    assert "您写的都还在" in desk.words
    kept = desk.page.form("/answer")
    await desk.sign_in("JX0201")
    await desk.send(kept)
    assert desk.reply.status_code == 200
    assert "已通过" in desk.words
    assert YES["reason"] in desk.words


async def test_more_cases_than_the_list_shows_are_counted_and_said(
    road: Road, desks: Desks, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_list, "MOST", 1)
    await referred(road, owner, "4101", 551)
    await referred(road, owner, "4101", 552)
    desk = await desks.of("JX0201")
    assert len([link for link in desk.page.links if "/cases/" in link]) == 1
    assert "还有 1 件不这么急" in desk.words
    watching = await desks.of("JX0101")
    assert "2 件，别人在办" in watching.words
    assert "这里是最急的 1 件" in watching.words


def test_every_kind_of_effect_has_a_name_people_read() -> None:
    assert set(HANDLERS) == set(KINDS)


async def test_a_dead_letter_says_whose_it_is_and_why_without_codes(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 561)
    async with road.db.begin(JIA) as tx:
        await effects.add(tx, kind="notify.status", case_id=application.id, payload={}, key="dead")
    await road.drain()
    desk = await desks.of("JX0301")
    for error, words in (
        ("outside_refused 409 line_closed", "对方系统没有受理"),
        ("KeyError", "请告诉技术人员"),
        ("core_banking_unavailable", "都连不上对方系统"),
    ):
        async with owner.transaction():
            await owner.execute("set local session_replication_role = replica")
            await owner.execute(
                "update outbox.effects set status = 'dead', last_error = $1 where key = 'dead'", error
            )
        await desk.get("/console/dead-letters")
        assert words in desk.words
        assert error.split()[0] not in desk.words
        assert f"/console/cases/{application.application_no}" in desk.page.links
