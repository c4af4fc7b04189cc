"""A reviewer at the case page: sees why, answers with fresh proof, gives it back; others only look (A7-05, D3-03)."""

import re
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.core import clock, ids
from backend.demo import staff_id
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.audit import service as audit
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import capsule_file, facts
from backend.flows import decide_application, export_capsule, observe_decisions, request_review, resume_held
from backend.overview import case_file, work_list
from backend.web import templates
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desk, Desks, anew, written
from tests.h5.scene import long_ago, referred, review_of, reviewer, scene

YES = {
    "outcome": "approved",
    "amount": "10000",
    "rate": "6.00",
    "term": "12",
    "reason": "到家里看过，收入属实",
}


POOR = {
    "preset": "good",
    "profile": {
        "core_payroll_months": 0,
        "core_payroll_average": 0,
        "core_inflow_months_12m": 3,
        "core_deposit_average_6m": 0,
        "core_relationship_months": 0,
        "social_security_months_24m": 0,
        "bureau_overdue_months_24m": 6,
        "bureau_worst_overdue_24m": 2,
        "bureau_queries_6m": 7,
        "bureau_lenders_open": 6,
        "bureau_card_used": 2_000_000,
    },
}
"""Nothing that a rule refuses, and a score too low."""


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
        "客户申请的金额",
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
    assert await owner.fetchval("select limit_amount from contracts.contracts") == 10_000


async def test_the_page_says_how_old_the_facts_are_and_has_the_case_decided_anew(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    old = await long_ago(road, owner, 505)
    await road.settle()
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{old.application_no}")
    for words in ("40 天前", "项已过有效期", "这笔的资料是 40 天前的，超过 30 天，不能凭它同意"):
        assert words in desk.words, words
    await desk.send(desk.page.form("/answer"), **YES)
    assert desk.reply.status_code == 422
    assert "不能凭它同意" in desk.words
    await desk.send(desk.page.form("/anew"))
    number = desk.path.rsplit("/", 1)[1]
    assert number != old.application_no
    assert f"/console/cases/{old.application_no}" in desk.page.links
    await road.settle()
    await desk.get(f"/console/cases/{number}")
    assert "请客户重新核对本人、重新授权后提交" in desk.words
    assert "您的意见" not in desk.words
    assert "不能凭它同意" not in desk.words
    await desk.get(f"/console/cases/{old.application_no}")
    assert f"/console/cases/{number}" in desk.page.links
    async with road.db.read(JIA) as tx:
        entries = {(e.action, e.actor) for e in await audit.of(tx, old.application_no)}
    assert ("application.decided_anew", f"staff:{staff_id('4101', 4)}") in entries


async def test_a_decline_needs_its_reason_and_keeps_what_was_typed(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    await desk.send(desk.page.form("/answer"), outcome="declined", reason="不")
    assert desk.reply.status_code == 422
    assert "请写明理由，至少 4 个字，客户会看到" in desk.words
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


@pytest.mark.parametrize("typed", ["10,000.5", "10000.004"])
async def test_what_is_granted_is_whole_yuan(
    road: Road, desks: Desks, owner: asyncpg.Connection, typed: str
) -> None:
    desk = await open_case(desks, road, owner)
    await desk.send(desk.page.form("/answer"), **(YES | {"amount": typed}))
    assert (desk.reply.status_code, "金额写整数元" in desk.words) == (422, True)
    assert await owner.fetchval("select count(*) from contracts.contracts") == 0


async def test_after_five_minutes_the_person_proves_again_and_nothing_typed_is_lost(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk, start = await open_case(desks, road, owner), clock.now()
    form, path = desk.page.form("/answer"), desk.path
    await road.settle()  # the receipt of the customer's SMS
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
    await desk.send(anew(form), **(YES | {"outcome": "declined"}))
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
    reply = await desk.http.post(
        f"/console/reviews/{review}/answer", data={"csrf_token": token, "form_key": ids.new(), **YES}
    )
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
    said = {"csrf_token": token, "form_key": ids.new(), "outcome": "upheld", "reason": "我看就是不行"}
    assert (await desk.http.post(f"/console/reviews/{asked.id}/answer", data=said)).status_code == 403
    second = await desks.of("JX0202")
    assert "客户申请人工复核：资料里有不对的地方" in second.words
    await second.get(f"/console/cases/{number}")
    assert "账单没算进去" in second.words
    await second.send(second.page.form("/answer"), outcome="upheld", reason="重新看过账单，收入仍不够")
    assert "维持原结果" in second.words
    review = await review_of(road, application, "requested")
    assert (review.outcome, review.answered_by) == ("upheld", f"staff:{staff_id('4101', 5)}")


async def test_who_explains_a_refusal_on_the_phone_knows_whether_the_customer_may_still_ask_a_person(
    road: Road, desks: Desks
) -> None:
    declined = await road.apply(id_number(512), script={"preset": "queries"})
    desk = await desks.of("SL0001")
    path = f"/console/cases/{declined.application_no}"
    await desk.get(path)
    assert "还没有申请人工复核" in desk.words
    assert "审查人 3 个工作日内答复，不收费" in desk.words
    await request_review.request_review(road.context, JIA, declined.id, "wrong_data", "不是我查的")
    await desk.get(path)
    assert "还没有申请人工复核" not in desk.words
    assert "客户申请的人工复核" in desk.words


def icon(name: str) -> str:
    return str(templates.environment().get_template("shared/parts.html").module.icon(name)).strip()  # type: ignore[attr-defined]


async def test_a_score_that_declines_is_drawn_as_a_score_and_not_as_so_many_rules(
    road: Road, desks: Desks
) -> None:
    """Who reads it out would say four rules refused, where one score was too low."""
    declined = await road.apply(id_number(513), script=POOR)
    desk = await desks.of("SL0001")
    await desk.get(f"/console/cases/{declined.application_no}")
    box = desk.reply.text.partition("评级<small>")[2].partition("</small>")[0]
    assert re.fullmatch(r"\d{3} 分，不够", box), box
    end = desk.reply.text.partition('<li class="end stop">')[2].partition("</li>")[0]
    assert "未通过" in end
    assert icon("person") not in end, "no person decides about it: that mark is of what went to one"


async def by_number(road: Road, number: str) -> Application:
    async with road.db.read(JIA) as tx:
        return await applications.by_number(tx, number)


async def test_a_case_goes_back_to_the_officer_and_returns_with_the_answer(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    due, case = await owner.fetchval("select due_at from reviews.reviews"), desk.path
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
    with clock.at(clock.now() + timedelta(minutes=6)):
        await desk.get(case)
        assert "大棚两个" in desk.words
        await desk.confirm()
        await desk.send(desk.page.form("/answer"), **YES)
        assert "已通过" in desk.words, "the second look ends the case"


async def test_a_case_without_an_officer_cannot_be_given_back(road: Road, desks: Desks) -> None:
    application = await road.apply(id_number(504), script={"preset": "no_income"})
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{application.application_no}")
    assert "没有客户经理，不能退回" in desk.words


def test_every_fact_is_written_in_chinese() -> None:
    """Enumerations of the catalogue have a label for each member a case page may show."""
    for fact in facts.catalogue().facts.values():
        if fact.kind == "enum" and fact.source in case_file.SOURCES:
            for member in fact.members:
                pair = case_file._pair(fact.name, member)
                assert pair is not None
                assert not pair[1].isascii(), f"{fact.name} {member}"


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


MORE = YES | {"amount": "20000"}


async def test_an_amount_above_the_caps_names_them_and_wants_a_reason_and_a_second_person(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    case = desk.path
    assert "超过这些上限的，要写明为什么" in desk.words
    await desk.send(desk.page.form("/answer"), **MORE)
    assert desk.reply.status_code == 422
    assert "金额超过“每月还得起的钱对应的额度”（14,199.96 元）。确实要超，请写明为什么" in desk.words
    await desk.send(desk.page.form("/answer"), **MORE, why_more="儿子在外打工，每月往家寄钱")
    assert "等另一位审查人看。客户还没有收到" in desk.words
    assert await owner.fetchval("select count(*) from contracts.contracts") == 0
    with pytest.raises(LookupError):
        desk.page.form("/answer")
    found = {"look": "confirmed", "found": "我自己同意自己"}
    await desk.send(desk.page.form("/exceeding"), **found)
    assert desk.reply.status_code == 403, "maker and checker are two people"

    second = await desks.of("JX0202")
    assert "同事的意见等您看过才算" in second.words
    await second.get(case)
    for words in ("陈审的意见超过了上限", "每月往家寄钱", "“每月还得起的钱对应的额度”（14,199.96 元）"):
        assert words in second.words, words
    await second.send(second.page.form("/exceeding"), look="confirmed", found="同")
    assert "请写明理由，至少 4 个字" in second.words
    await second.send(second.page.form("/exceeding"), look="confirmed", found="看过汇款记录，同意")
    assert "已通过" in second.words
    assert "另一位审查人同意" in second.words
    assert await owner.fetchval("select limit_amount from contracts.contracts") == 20_000
    application = await by_number(road, case.rsplit("/", 1)[1])
    async with road.db.read(JIA) as tx:
        told = {
            entry.action: msgspec.json.decode(entry.details) for entry in await audit.of(tx, application.id)
        }
    for action in ("review.exceeding_proposed", "review.exceeding_confirmed", "review.answered"):
        assert told[action]["exceeded"] == "每月还得起的钱对应的额度", action
    taken = await export_capsule.export_capsule(road.db, reviewer("4101"), application.id, "法院来调这笔")
    held = capsule_file.read(taken)
    [answered] = msgspec.json.decode(held.text("reviews"))
    [above] = answered["exceedings"]
    assert above["exceeded"] == [
        {"cap": "obligations", "label": "每月还得起的钱对应的额度", "amount_fen": 1_419_996}
    ]
    assert (above["maker"], above["checker"]) == (
        f"staff:{staff_id('4101', 4)}",
        f"staff:{staff_id('4101', 5)}",
    )
    replayed, _ = capsule_file.bundle_of(held)
    assert "obligations" in {cap.name for cap in replayed.decision.caps}


async def open_without_bureau(desks: Desks, road: Road) -> Desk:
    """A case whose bureau stayed silent for as long as a case waits, before a reviewer."""
    await road.person(id_number(507), preset="good", phone="match")
    application = await road.draft(id_number(507))
    await road.fault("credit_bureau", "*", "status", times=99, status=503)
    await road.submit(application)
    await road.drain()
    with clock.at(clock.now() + decide_application.HELD_FOR + timedelta(minutes=1)):
        await resume_held.resume_held(road.context)
        await road.drain()
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{application.application_no}")
    assert desk.reply.status_code == 200
    return desk


async def test_where_the_data_gave_no_limit_no_amount_is_granted_by_one_person(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """Missing data never leads to an approval: one person's word is not what was missing."""
    desk = await open_without_bureau(desks, road)
    case = desk.path
    assert "系统没有算出额度：资料不全，或者在这之前就被规则拦下了" in desk.words
    await desk.send(desk.page.form("/answer"), **YES)
    assert desk.reply.status_code == 422
    assert "要同意，请写明凭什么定这个金额" in desk.words
    await desk.send(desk.page.form("/answer"), **YES, why_more="纸质征信报告看过了")
    assert "系统没有算出额度，您的意见等另一位审查人看。客户还没有收到" in desk.words
    assert await owner.fetchval("select count(*) from contracts.contracts") == 0

    second = await desks.of("JX0202")
    await second.get(case)
    assert " 元，系统没有算出额度。" in second.words
    await second.send(second.page.form("/exceeding"), look="confirmed", found="报告我也看了")
    assert "已通过" in second.words
    assert await owner.fetchval("select limit_amount from contracts.contracts") == 10_000
    application = await by_number(road, case.rsplit("/", 1)[1])
    async with road.db.read(JIA) as tx:
        told = {e.action: msgspec.json.decode(e.details) for e in await audit.of(tx, application.id)}
    assert told["review.answered"]["exceeded"] == "系统没有算出额度"


async def test_without_a_limit_one_person_may_still_say_no(road: Road, desks: Desks) -> None:
    desk = await open_without_bureau(desks, road)
    await desk.send(desk.page.form("/answer"), outcome="declined", reason="查不到征信，暂不能办理")
    assert desk.reply.status_code == 200
    assert "您的意见" not in desk.words


async def test_above_the_caps_refused_or_taken_back_the_case_waits_again(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    case = desk.path
    form = desk.page.form("/answer")
    await desk.send(form, **MORE, why_more="儿子在外打工")
    await desk.send(anew(form), **YES)
    assert desk.reply.status_code == 409, "no other answer while one waits"
    await desk.send(desk.page.form("/exceeding"), found="数写错了，重写")
    await desk.send(desk.page.form("/answer"), **MORE, why_more="儿子在外打工，有记录")
    second = await desks.of("JX0202")
    await second.get(case)
    await second.send(second.page.form("/exceeding"), look="refused", found="没有汇款记录")
    assert "另一位审查人不同意" in second.words
    assert await owner.fetchval("select status from reviews.reviews") == "open"
    await second.send(second.page.form("/answer"), **YES)
    assert "已通过" in second.words
    assert await owner.fetchval("select limit_amount from contracts.contracts") == 10_000


async def test_nobody_goes_above_the_fixed_limits_and_the_page_names_them(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    await desk.send(desk.page.form("/answer"), **(YES | {"amount": "40000", "why_more": "家里急用钱"}))
    assert desk.reply.status_code == 422
    assert "“客户申请的金额”（30,000 元）不能超过" in desk.words
    assert await owner.fetchval("select count(*) from reviews.exceedings") == 0


async def test_the_table_itself_wants_two_people_above_the_caps(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await open_case(desks, road, owner)
    await desk.send(desk.page.form("/answer"), **MORE, why_more="儿子在外打工")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "update reviews.exceedings set status = 'confirmed', checker = maker, found = why, checked_at = now()"
        )


async def test_each_source_says_how_it_was_come_by_and_under_which_consent(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """Facts with source, time and consent, as the decision keeps them (D3-01, D3-09, N19)."""
    desk = await open_case(desks, road, owner)
    for title in ("个人信息处理授权书", "身份联网核查授权书", "数据查询使用授权书", "征信查询授权书"):
        assert f"同意的《{title}》" in desk.words
    assert "当时现查的" in desk.words
    assert "收回了" not in desk.words
    number = desk.path.rsplit("/", 1)[1]
    async with road.db.begin(JIA) as tx:
        application = await applications.by_number(tx, number)
        await consents.withdraw(tx, application.customer_id or "", Purpose.BUREAU_QUERY)
    await desk.get(desk.path)
    told = desk.words.partition("同意的《征信查询授权书》")[2]
    assert told.partition("。")[0].endswith("收回了")
    admin = await desks.of("JX0101")
    await admin.get(f"/console/cases/{number}")
    assert "同意的《" not in admin.words, "who need not know the facts need not know this"


async def test_what_waits_for_another_stands_apart_until_it_is_late_and_one_case_leads_to_the_next(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """Forty cases: no slot for what I can do nothing about, and no way back to the list between two (A7-05)."""
    cases = [await referred(road, owner, "4101", serial) for serial in (541, 542, 543)]
    numbers = [each.application_no for each in cases]
    for day, each in enumerate(cases):
        await owner.execute(
            "update reviews.reviews set due_at = now() + make_interval(hours => $2) where application_id = $1",
            each.id, day + 1,
        )  # fmt: skip
    desk = await desks.of("JX0201")
    assert all(f"申请 {number}，等审查人" in desk.words for number in numbers)
    await desk.get(f"/console/cases/{numbers[0]}")
    assert f"/console/cases/{numbers[1]}" in desk.page.links
    await desk.send(desk.page.form("/return"), question="请到家里看看收成")
    await desk.get("/console")
    mine, _, elsewhere = desk.words.partition("等别人回话的")
    assert numbers[0] not in mine
    assert f"申请 {numbers[0]}，客户经理李四核实中" in elsewhere
    await desk.get(f"/console/cases/{numbers[2]}")
    assert f"/console/cases/{numbers[1]}" in desk.page.links, "from the last to the first that is mine"
    await desk.send(desk.page.form("/answer"), **YES)
    assert f"/console/cases/{numbers[1]}" in desk.page.links, "and from an answered one"
    await owner.execute("update reviews.reviews set due_at = now() - interval '1 hour' where status = 'open'")
    await desk.get("/console")
    assert "等别人回话的" not in desk.words, "what is late is mine to chase"
    admin = await desks.of("JX0101")
    await admin.get(f"/console/cases/{numbers[2]}")
    assert "下一件等审查的" not in admin.words


async def test_the_case_says_which_version_of_which_rules_and_which_model_decided(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """Months later the live rules are others: these are the ones of the decision (A3-33, A6-03, D1-05)."""
    desk = await open_case(desks, road, owner)
    told = desk.words.partition("用的是哪一版规则和模型")[2]
    assert "准入 省联社 第 1 版" in told
    assert "评分模型" not in told, "nobody has looked yet"
    await observe_decisions.observe_decisions(road.context)
    union = await owner.fetchval(
        "select id::text from strategies.versions where institution_id = '*' and stage = 'eligibility' and number = 1"
    )
    await desk.get(desk.path)
    assert "评分模型 随系统的评分卡" in desk.words
    assert f"/console/strategies/{union}" in desk.page.links
    await desk.get(f"/console/strategies/{union}")
    assert desk.reply.status_code == 200
    made = await referred(road, owner, "4102", 551)
    await desk.get(f"/console/cases/{made.application_no}")
    assert desk.reply.status_code == 404
