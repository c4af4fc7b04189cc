"""Every request that changes something does so once, whatever happens to its answer (trust §1 no 3).

The routes come from the application itself: a new one that changes something is swept by being walked here, and one
that is not walked fails. Sent twice: one effect, the same answer to the byte. With another content: 422, no effect.
"""

import asyncio
import json
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from backend.api import signed
from backend.core import clock, failpoints, ids
from backend.core.crypto import Unreadable
from backend.db.database import COMMITTED
from backend.demo import staff_id
from backend.domains.campaigns import sentinel
from backend.domains.decision import bundle
from backend.domains.models import apart
from backend.flows import open_mobile_bank, submit_survey
from backend.outbox import idempotency
from backend.sandbox import specimens
from backend.sandbox.forms import Form
from backend.sandbox.specimens.people import Person
from backend.web import request_keys
from tests.bot import people
from tests.bot.conftest import World, id_number, world
from tests.bot.test_binding import OPENID, Browser, code_for, link
from tests.domains.models.conftest import invented
from tests.domains.regulation.test_calendar import YEAR
from tests.flows import test_challenge_collection as collection_trials
from tests.flows import test_erase_on_request as erasing
from tests.flows.conftest import JIA, Road
from tests.flows.conftest import id_number as number_of
from tests.h5.conftest import Desk, Desks, desks, road
from tests.h5.console import test_models as model_pages
from tests.h5.console import test_strategies as pages
from tests.h5.console import test_trainings as training_pages
from tests.h5.customer import test_guarantee as guarantee_road
from tests.h5.customer.conftest import Phone, Studio, photograph
from tests.h5.customer.test_edges import confirm_disclosure, known, to_approved
from tests.h5.scene import after_the_loan, long_ago, referred, review_of, scene, survey
from tests.h5.studio import test_invitations as invitations
from tests.h5.studio.test_studio import LI_SI
from tests.house.test_staff_roles import STAFF_NO, token_of
from tests.security.twice import Twice, changing

__all__ = ["desks", "id_number", "road", "world"]

OWN_KEY = {
    "/wechat": "MsgId or its like, in the inbox of the chat (channels.messages)",
    "/api/mobile-bank/events": "event_id, in the inbox (outbox.inbox)",
    "/api/sms/receipts": "message_id: the state of the message it names",
}
READS = {
    "/display": "sets a cookie of the browser",
    "/my/{number:str}/notice": "sets a cookie of the browser",
    "/console/strategies/{version_id:str}/try": "decides a changed case and keeps nothing",
    "/console/strategies/{version_id:str}/row/check": "says what the checks find and keeps nothing",
    "/console/strategies/{version_id:str}/parameters/check": "says what the checks find and keeps nothing",
    "/console/strategies/{version_id:str}/columns/check": "says what the checks find and keeps nothing",
    "/console/strategies/{version_id:str}/node/check": "says what the checks find and keeps nothing",
    "/console/strategies/{version_id:str}/score/check": "says what the checks find and keeps nothing",
    "/api/mobile-bank/package": "gives what waits",
    "/api/mobile-bank/document": "gives what waits",
}
STRATEGIES = {
    f"/console/strategies{each}"
    for each in (
        "/drafts", "/roll-back", "/scenarios", "/{version_id:str}/act", "/{version_id:str}/row",
        "/{version_id:str}/parameters", "/{version_id:str}/scenario", "/{version_id:str}/rows",
        "/{version_id:str}/flow", "/{version_id:str}/openings",
        "/{version_id:str}/arrange", "/{version_id:str}/arrange/add", "/{version_id:str}/columns",
        "/{version_id:str}/node", "/{version_id:str}/score", "/{version_id:str}/preview",
    )
}  # fmt: skip
"""Walked in a test of their own: each save of a draft leads to a new address."""
PHOTOGRAPHS = {"/studio/surveys/{survey_id:str}/photos"}
"""Walked in a test of its own, with the reader."""
STOP = {"source": "core_banking", "act": "stop", "hours": "1", "reason": "核心系统升级"}
MODELS = {
    f"/console/models{each}"
    for each in (
        "", "/{model_id:str}/report", "/{model_id:str}/act", "/line-up", "/line-up/{proposal_id:str}/answer",
        "/line-up/{proposal_id:str}/withdraw", "/line-up/back",
    )
}  # fmt: skip
"""Walked in a test of their own, for they take files."""
TRAININGS = {
    f"/console/models/trainings{each}"
    for each in ("", "/table", *(f"/{{training_id:str}}/{act}" for act in ("start", "cancel", "forget", "register")))
}  # fmt: skip
"""Walked in a test of their own: of head office, with a file and a worker between."""
COLLECTION = {
    f"/console/collection-trials{each}"
    for each in ("", "/{challenge_id:str}/answer", "/{challenge_id:str}/end")
}
INVITATION = {"/studio/invitations/{number:str}"}
"""Walked in tests of their own: a strategy of head office, an hour of the day."""
GUARANTEES = {
    "/my/{number:str}/guarantors",
    "/my/{number:str}/guarantors/{key:str}/withdraw",
    "/g/{institution_id:str}/{link:str}",
    *(
        f"/guarantee/{each}"
        for each in (
            "identity/front", "identity/back", "identity/confirm", "phone", "consents", "liveness", "confirm", "refuse",
        )
    ),
}  # fmt: skip
"""Walked in a test of their own, by two phones."""
BOT = {"/wechat/bind/{token:str}/code", "/wechat/bind/{token:str}"}


def keyed(app: Any) -> set[str]:
    return set(changing(app)) - set(OWN_KEY) - set(READS)


def of_staff(path: str) -> bool:
    return path.startswith(("/staff", "/studio", "/console", "/api"))


def test_every_changing_route_has_a_key_or_an_id_of_its_own(road: Road) -> None:
    app = road.web._transport.app  # type: ignore[attr-defined]
    found = changing(app)
    assert {path for path, each in found.items() if "message_id" in each.opt} == set(OWN_KEY)
    for path in set(found) - set(OWN_KEY):
        assert found[path].resolve_before_request() in {request_keys.guard, signed.keyed}, path
    assert set(found) >= {*OWN_KEY, *READS, *BOT}


async def test_every_post_of_a_customer_happens_once(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    twice = Twice(studio.app, owner)

    def browser() -> Phone:
        made = studio.phone()
        made.http._transport = twice
        return made

    await known(studio, zhang)
    first = browser()
    await first.to_details(zhang)
    await first.send(
        Form("/apply/details", "post", first.page.form("/apply/submit").values), purpose="appliance"
    )
    await first.get("/apply/details")
    await first.hand_in(income="80k_120k", amount="30000")
    number = first.path.split("/")[2]
    await studio.drain()
    await confirm_disclosure(first, number)
    await first.send(first.page.form("/hand-off"))
    await first.get(f"/my/{number}/hand-off")
    await first.send(first.page.form("/hand-off/code"))
    await first.get("/report")
    await first.send(first.page.form("/report"), kind="fee_asked", said="有人要 200 元", phone="")

    second = browser()
    with clock.at(clock.now() + timedelta(seconds=100)):
        await second.get("/resume")
        code = await second.code(zhang.phone, "/resume")
        await second.send(second.page.form("/resume"), phone=zhang.phone, code=code)
    assert second.path == f"/my/{number}", second.words
    await second.get(f"/my/{number}")
    await second.send(second.page.form("/cancel"))

    third = browser()
    draft = await studio.draft_at(third, "details", zhang)
    await third.get(f"/my/{draft}/consents")
    await third.send(third.page.form("/bureau_query/withdraw"))
    await third.send(third.page.form("/reminders"))
    await third.get("/apply/renewal")
    await third.send(third.page.form("/apply/renewal"), **third.ticks("/apply/renewal"))
    await third.get("/p/4101/SXD")
    await third.send(third.page.form("/apply/give-up"))

    fourth = browser()
    await studio.draft_at(fourth, "liveness", zhang)
    await fourth.get("/apply/liveness/other-way")
    await fourth.send(fourth.page.form("/apply/liveness/other-way"), way="branch")

    fifth, li = browser(), specimens.person(4243, county="411701")
    await known(studio, li, preset="enforced")
    declined = await studio.draft_at(fifth, "details", li)
    await fifth.get("/apply/details")
    await fifth.hand_in(income="80k_120k", amount="30000")
    await studio.drain()
    await fifth.get(f"/my/{declined}/review-request")
    await fifth.send(fifth.page.form("/review-request"), ground="wrong_data", said="那笔早还了")

    assert twice.wrong == []
    wanted = {path for path in keyed(studio.app) if not of_staff(path)} - BOT - GUARANTEES
    assert wanted - twice.swept == set(), "changes something and is not walked here"


async def test_every_post_of_a_borrower_and_a_guarantor_happens_once(
    studio: Studio, zhang: Person, owner: asyncpg.Connection
) -> None:
    twice, wang = Twice(studio.app, owner), specimens.person(4343, county="411701")
    borrower, first, second = studio.phone(), studio.phone(), studio.phone()
    number = await guarantee_road.approved(studio, borrower, zhang)
    for each in (borrower, first, second):
        each.http._transport = twice
    await guarantee_road.take_up(first, await guarantee_road.link(borrower, number))
    await first.send(first.page.form("/guarantee/refuse"))
    await guarantee_road.link(borrower, number)
    await borrower.send(borrower.page.form("/withdraw"))
    await guarantee_road.to_promise(studio, second, await guarantee_road.link(borrower, number), wang)
    await guarantee_road.promise(second)
    assert "您已确认担保" in second.words
    assert (twice.wrong, GUARANTEES - twice.swept) == ([], set())


async def test_every_post_behind_the_one_time_link_happens_once(
    world: World, id_number: str, owner: asyncpg.Connection
) -> None:
    await people.customer(world.db, id_number)
    twice = Twice(world.web._transport.app, owner)  # type: ignore[attr-defined]
    address, browser = await link(world), Browser(world, OPENID)
    world.web._transport = twice
    page = await browser.get(address)
    page = await browser.post(f"{address}/code", page, phone=people.PHONE)
    code = await code_for(world)
    done = await browser.post(address, page, phone=people.PHONE, code=code, id_tail=id_number[-6:])
    assert "确认好了" in done.text
    assert (twice.wrong, twice.swept) == ([], BOT)


async def test_every_post_of_staff_and_of_the_bank_happens_once(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made, other = await scene(road, owner), await referred(road, owner, "4101", 302)
    returned = (await review_of(road, other)).id
    asked = await erasing.wish(road, await road.apply(number_of(398), script={"preset": "queries"}))
    stale = (await review_of(road, await long_ago(road, owner, 399))).id
    held, warned, _ = await after_the_loan(road, other, made.officer)
    app, secret = road.web._transport.app, road.context.settings.mobile_bank_callback_secret  # type: ignore[attr-defined]
    async with road.db.begin(JIA) as tx:
        for case in ("one", "two"):
            await sentinel.signal(tx, made.code, "helper", case)
    handed_in = await survey(road, other)
    await submit_survey.submit_survey(road.context, LI_SI, handed_in, {})
    twice = Twice(app, owner, secret)
    yes = {
        "outcome": "approved",
        "amount": "20000",
        "rate": "8.40",
        "term": "12",
        "reason": "经营稳定，收入够还",
        "why_more": "儿子每月往家寄钱",
    }
    watched = {"outcome": "false_alarm", "said": "上门看过，是县里的农资公司"}
    until = (clock.today() + timedelta(days=30)).isoformat()
    listed = {"list": "watch", "kind": "phone", "text": "13912345678", "reason": "替人申请", "source": "举报"}
    listed["expires_on"] = until
    posts: list[tuple[str, str, dict[str, str]]] = [
        ("county_admin", f"/console/codes/{made.code}/release", {"reason": "问过村里，没有中介"}),
        ("officer", f"/studio/inquiries/{made.inquiry}", {"answer": "去看过了，大棚在用"}),
        ("officer", f"/studio/leads/{made.number}/phone", {"reason": "客户找人工"}),
        ("officer", "/studio/leads", {"what": made.number}),
        ("officer", f"/studio/calls/{made.call}/phone", {"reason": "客户找人工"}),
        ("officer", f"/studio/calls/{made.call}", {"answer": "打过电话，讲清了利息"}),
        ("officer", f"/studio/codes/{made.code}/poster.jpg", {"greeting": ""}),
        ("officer", f"/studio/leads/{made.number}/survey", {}),
        ("officer", f"/studio/surveys/{made.survey}", {"act": "save", "said": "门口有两座大棚"}),
        ("officer", f"/studio/surveys/{made.survey}/photos/{made.photo}", {"sure": "yes"}),
        (
            "colleague",
            f"/studio/surveys/{handed_in}/check",
            {"outcome": "returned", "in_place": "no", "said": "看不出是谁家"},
        ),
        ("county_admin", f"/console/tickets/4101/{made.ticket}", {"answer": "打过电话，讲清了利息"}),
        ("county_admin", f"/console/reports/4101/{made.report}", {"answer": "查过了，不是我行的人"}),
        ("county_admin", f"/console/tickets/4101/{asked}/erasure", {"act": "ask"}),
        ("county_admin", "/console/support", {"what": made.number}),
        ("county_admin", f"/console/codes/{made.code}/revoke", {"reason": "码丢了，换一张"}),
        ("reviewer", f"/console/reviews/{returned}/return", {"question": "家里几口人干活，看看大棚"}),
        ("reviewer", f"/console/reviews/{stale}/anew", {}),
        ("reviewer", f"/console/reviews/{made.review}/answer", yes),
        (
            "reviewer",
            f"/console/reviews/{made.review}/exceeding",
            {"look": "taken_back", "found": "数写错了"},
        ),
        ("risk_analyst", f"/console/dead-letters/4101/{made.dead}", {"reason": "对方恢复了"}),
        ("risk_analyst", f"/console/relations/{made.finding}/take", {}),
        ("risk_analyst", f"/console/relations/{made.finding}/answer", watched),
        ("risk_analyst", "/console/lists", listed),
        (
            "risk_analyst",
            f"/console/customers/4101/{other.customer_id}/freeze",
            {"reason": "公安来函要求止付"},
        ),
        (
            "county_admin",
            f"/console/customers/4101/{other.customer_id}/release",
            {"act": "ask", "reason": "公安已经撤函"},
        ),
        ("county_admin", f"/console/lists/4101/{made.entry}/check", {"outcome": "agree"}),
        ("county_admin", f"/console/lists/4101/{made.entry}/end", {"reason": "查清不是他"}),
        ("risk_analyst", f"/console/monitors/4101/alarms/{made.alarm}", {"note": "查过了，是新来的客户经理"}),
        ("risk_analyst", f"/console/trials/{made.trial}/cancel", {}),
        ("risk_analyst", f"/console/batches/{made.batch}/stop", {}),
        ("risk_analyst", f"/console/batches/{made.batch}/resume", {}),
        ("risk_analyst", f"/console/batches/{made.batch}/scores.csv", {}),
        ("risk_analyst", "/console/batches", {"purpose": "pre_approval", "model": ""}),
        ("risk_analyst", "/console/trials", {"strategy": "live", "cases": "history", "size": ""}),
        ("reviewer", f"/console/rechecks/{made.recheck}", {"finding": "disagreed", "why": "收入凭据对不上"}),
        ("county_admin", f"/console/rechecks/{made.recheck}/done", {"done": "已请客户经理上门核实用途"}),
        ("reviewer", f"/console/guarantees/{made.guarantee}/seen", {}),
        ("reviewer", f"/console/cases/{made.number}/try", {"version": made.version}),
        ("reviewer", "/console/decisions", {"number": made.number}),
        ("auditor", "/console/decisions/export", {"outcome": "referred"}),
        ("officer", f"/studio/drawdowns/{made.held}", {"verdict": "released", "found": "和本人核对过了"}),
        ("officer", f"/studio/warnings/{made.warning}", {"finding": "stands", "done": "打过电话，下周还"}),
        ("officer", f"/studio/collections/{made.overdue}/contact", {}),
        (
            "officer",
            f"/studio/collections/{made.overdue}",
            {"segment": "willing", "note": "说月底发工资就还"},
        ),
        ("reviewer", f"/console/drawdowns/{held}", {"verdict": "rejected", "found": "收款人说不清"}),
        ("county_admin", f"/console/warnings/{warned}", {"finding": "handled", "done": "已经还清"}),
        ("reviewer", f"/console/cases/{made.number}/capsule", {"reason": "客户要求复核这次的决定"}),
        ("county_admin", f"/console/officers/4101/{made.officer}/leave", {"reason": "合同到期，不再续聘"}),
        ("county_admin", f"/console/officers/4101/{made.officer}/hand-over", {"to": staff_id("4101", 2)}),
        ("auditor", "/console/audit", {"case": made.number}),
        ("auditor", "/console/audit/verify", {}),
        (
            "head_office_admin",
            "/console/calendar",
            {"year": "2027", "source": "国务院办公厅通知", "days": YEAR},
        ),
        ("head_office_admin", "/console/sources", STOP),
        ("head_office_admin", "/console/sources", {**STOP, "act": "resume"}),
        ("auditor", "/staff/confirm", {"next": "/console"}),
        ("auditor", "/staff/sign-in", {"next": ""}),
        ("auditor", "/staff/sign-out", {}),
    ]
    opened: dict[str, tuple[Desk, str]] = {}
    for role in dict.fromkeys(role for role, _, _ in posts):
        desk = await desks.of({**STAFF_NO, "colleague": "JX0428"}[role])
        opened[role] = desk, await token_of(desk)
        desk.http._transport = twice
    call = f"/console/tickets/4101/{(await _waiting_call(road)).ticket_no}/phone"
    for role, path, fields in [*posts[:6], ("county_admin", call, {"reason": "答复客户找人工"}), *posts[6:]]:
        desk, token = opened[role]
        reply = await desk.http.post(path, data={"csrf_token": token, "form_key": ids.new(), **fields})
        assert reply.status_code in {200, 303}, f"{path}: {reply.status_code}"

    handed = await road.hand_off(await road.apply(number_of(303)))
    url = await open_mobile_bank.open_mobile_bank(road.context, JIA, handed.id)
    road.web._transport = twice
    body = {"customer_hash": road.hash_of(number_of(303)), "token": url.partition("?token=")[2]}
    assert (await road.call("redeem", body)).status_code == 200
    draw = {"application_id": handed.id, "customer_hash": road.hash_of(number_of(303)), "request_no": "YK1"}
    draw |= {"line_no": "ED1", "amount_fen": 100_000, "account_no": "6212"}  # type: ignore[dict-item]
    assert (await road.call("drawdown", draw)).status_code == 200
    wanted = {path for path in keyed(app) if of_staff(path)} - STRATEGIES - PHOTOGRAPHS - MODELS - TRAININGS
    wanted -= COLLECTION | INVITATION
    assert twice.wrong == []
    assert wanted - twice.swept == set(), (
        "changes something and is not walked here: give it a line in `posts`"
    )


async def test_a_photograph_of_a_survey_is_kept_once(studio: Studio, owner: asyncpg.Connection) -> None:
    twice = Twice(studio.app, owner)
    web = httpx.AsyncClient(transport=twice, base_url=studio.context.settings.public_base)
    road = Road(studio.context, studio.control, web, studio.world)
    writing = await survey(road, await referred(road, owner, "4101", 305))
    desk = await Desk(road).sign_in(STAFF_NO["officer"])
    await desk.get(f"/studio/surveys/{writing}")
    form = desk.page.form(f"/studio/surveys/{writing}/photos")
    picture = {"image": ("p.jpg", photograph(specimens.person(1), "front"), "image/jpeg")}
    reply = await desk.http.post(form.action, data=form.filled(), files=picture)
    assert reply.status_code == 303, reply.text
    assert (twice.wrong, twice.swept >= PHOTOGRAPHS) == ([], True)
    for client in (web, desk.http):
        await client.aclose()


async def test_every_post_of_strategies_happens_once(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    twice = Twice(road.web._transport.app, owner)  # type: ignore[attr-defined]
    maker, second, union = [await desks.of(each) for each in ("JX0101", "JX0301", "SL0001")]
    for desk in (maker, second, union):
        desk.http._transport = twice
    for code in ("A11", "A12"):
        base = await pages.draft(maker)
        await pages.new_row(maker, base, **{**pages.OWN, "原因码": code})
        await pages.act(maker, "check")
        await pages.act(maker, "submit")
        path = maker.path
        await second.get(path)
        await pages.act(second, "approve", reason="同意，和贷后的数对得上")
        assert "在用" in second.words, second.words
    await second.get("/console/strategies/of?product=*&stage=eligibility")
    await second.send(second.page.form("/roll-back"), reason="新的一版太严")

    base = await pages.draft(maker)
    await maker.send(maker.page.form(f"{base}/parameters"), note="试一个数", knob_0="")
    await pages.new_row(maker, maker.path, **{**pages.OWN, "原因码": "A13"})
    await maker.get(f"{maker.path}/try")
    form = next(f for f in maker.page.forms if f.action.endswith("/try") and f.method == "post")
    form.action = form.action.removesuffix("/try") + "/scenario"
    await maker.send(form, name="一个场景", outcome="approved")
    await maker.get("/console/strategies/scenarios")
    stop = next(f for f in maker.page.forms if f.action.endswith("/scenarios") and f.method == "post")
    await maker.send(stop, why="和新的规则对不上")

    base = await pages.draft(union)
    file = (await union.http.get(f"{base}/rows.xlsx?table=bureau")).content
    await union.get(f"{base}/files?table=bureau")
    values = {**union.page.form(f"{base}/rows").values, "table": "bureau", "pasted": "", "note": "原样导回"}
    sheet = {"sheet": ("征信.xlsx", file)}
    await union._arrive(await union.http.post(f"{base}/rows", data=values, files=sheet))
    base = union.path
    file = (await union.http.get(f"{base}/flow.json")).content
    await union.get(f"{base}/files")
    values = union.page.form(f"{base}/flow").values
    await union._arrive(await union.http.post(f"{base}/flow", data=values, files={"file": ("a.json", file)}))
    await union.get(f"{union.path}/openings")
    await union.send(union.page.form("/openings"), high_0="3", note="上限收一格")
    assert union.reply.status_code == 200, union.words
    version = union.path.removesuffix("/openings")
    await union.get(f"{version}/preview")
    await union.send(union.page.form("/preview"), size="20")
    assert union.reply.status_code == 200, union.words
    await union.get(f"{version}/arrange")
    await union.send(union.page.form("/arrange"), act="tidy", note="排齐")
    await union.send(union.page.form("/arrange/add"), kind="decisionTableNode", name="新表", columns="年龄")
    assert union.reply.status_code == 200, union.words
    rows = {"rows": "查询和机构数 = 【近 6 个月贷款查询】 + 【有余额的贷款机构数】", "before": "bureau"}
    await union.send(union.page.form("/arrange/add"), kind="expressionNode", name="合计", **rows)
    assert union.reply.status_code == 200, union.words
    await union.get(union.path.replace("/arrange", "/node?node=calc-1"))
    await union.send(
        union.page.form("/node"), act="save", name_1="机构数", value_1="【有余额的贷款机构数】 + 1"
    )
    assert union.reply.status_code == 200, union.words
    await union.get(f"{union.path}/arrange")
    asked = {"model": bundle.seeded().card.hash, "result": "信用分", "before": "*"}
    await union.send(union.page.form("/arrange/add"), kind="customNode", name="农户评分", **asked)
    assert union.reply.status_code == 200, union.words
    await union.get(union.path.replace("/arrange", "/score?node=score-1"))
    await union.send(union.page.form("/score"), act="save", result="农户信用分")
    assert union.reply.status_code == 200, union.words
    await union.get(f"{union.path}/arrange")
    asked = {"kind": "decisionNode", "name": "年长的客户", "flow": "new", "columns": "年龄"}
    await union.send(union.page.form("/arrange/add"), **asked)
    await union.get(f"{union.path.removesuffix('/arrange')}~flow-1/row?table=table-1&row=table-1-1")
    cells = {**pages.OWN, "年龄": "高于 74"}
    cells.pop("近 6 个月贷款查询")
    await union.send(union.page.form("~flow-1/row"), act="save", **pages.named(union, cells))
    assert union.reply.status_code == 200, union.words
    await union.get(f"{union.path.split('~')[0]}/columns?table=bureau")
    await union.send(union.page.form("/columns"), act="save", col_30="+age_years")
    assert union.reply.status_code == 200, union.words
    assert (twice.wrong, STRATEGIES - twice.swept) == ([], set())


async def test_every_post_of_models_happens_once(
    road: Road, desks: Desks, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "run", model_pages.nothing_drawn)
    twice = Twice(road.web._transport.app, owner)  # type: ignore[attr-defined]
    maker, second, third = [await desks.of(each) for each in ("SL0002", "SL0003", "SL0001")]
    for desk in (maker, second, third):
        desk.http._transport = twice
    path = await model_pages.handed_in(maker)
    await model_pages.upload(
        maker, f"{path}/report", "report", json.dumps(model_pages.REPORT).encode(), why="训练完"
    )
    await model_pages.decide(second, path, "reviewed")
    for status in ("approved", "shadow", "live"):
        await model_pages.decide(third, path, status)
    line_up, model_id = "/console/models/line-up", path.rsplit("/", 1)[1]
    await maker.get(line_up)
    wish = next(f for f in maker.page.forms if f.values.get("family") == "consumer")
    await maker.send(wish, champion=model_id, challenger="", share="", why="写错了")
    await maker.send(next(f for f in maker.page.forms if f.action.endswith("/withdraw")), why="重写")
    wish = next(f for f in maker.page.forms if f.values.get("family") == "consumer")
    await maker.send(wish, champion=model_id, challenger="", share="", why="影子看了一个月")
    await third.get(line_up)
    [waiting] = [f for f in third.page.forms if f.action.endswith("/answer")]
    await third.send(waiting, outcome="agree", why="同意")
    await third.send(next(f for f in third.page.forms if f.action == f"{line_up}/back"), why="先退回")
    assert "先退回" in third.words
    assert (twice.wrong, MODELS - twice.swept) == ([], set())


async def test_every_post_of_trainings_happens_once(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    twice = Twice(road.web._transport.app, owner)  # type: ignore[attr-defined]
    maker = await desks.of("SL0002")
    maker.http._transport = twice
    await maker.get(training_pages.HOME)
    await maker.send(maker.page.form(training_pages.HOME), cases="own")
    path = await training_pages.upload(maker, training_pages.as_csv(invented(1000)))
    await maker.send(maker.page.form(f"{path}/forget"))
    path = await training_pages.upload(maker, training_pages.as_csv(invented(1000)))
    await training_pages.start(maker, road, path)
    await maker.send(maker.page.form(f"{path}/cancel"))
    await training_pages.start(maker, road, path)
    await road.drain()
    await maker.get(path)
    await maker.send(maker.page.form(f"{path}/register"))
    assert (twice.wrong, TRAININGS - twice.swept) == ([], set())


async def test_every_post_of_collection_trials_happens_once(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await collection_trials.version(road, plan_7=collection_trials.CALL)
    twice = Twice(road.web._transport.app, owner)  # type: ignore[attr-defined]
    maker, second = [await desks.of(each) for each in ("SL0002", "SL0001")]
    for desk in (maker, second):
        desk.http._transport = twice
    await maker.get("/console/collection-trials")
    await maker.send(maker.page.form("/collection-trials"), version=made.id, share="20", why="早点打电话")
    await second.get("/console/collection-trials")
    await second.send(second.page.form("/answer"), outcome="agree", why="同意")
    await second.send(second.page.form("/end"), why="看够了")
    assert "已结束" in second.words
    assert (twice.wrong, COLLECTION - twice.swept) == ([], set())


async def test_an_invitation_is_noted_once(road: Road, desks: Desks, owner: asyncpg.Connection) -> None:
    made = await invitations.prospect(road, owner, 306)
    twice = Twice(road.web._transport.app, owner)  # type: ignore[attr-defined]
    with clock.at(invitations.TEN):
        desk = await desks.of("JX0427")
        desk.http._transport = twice
        await desk.get("/studio/invitations")
        await desk.send(desk.page.form(made.application_no))
    assert (twice.wrong, twice.swept) == ([], INVITATION)
    assert await owner.fetchval("select count(*) from campaigns.touches") == 1


async def _waiting_call(road: Road) -> Any:
    from backend.domains.channels import tickets

    async with road.db.begin(JIA) as tx:
        customer_id = await tx.connection.fetchval(
            "select customer_id from applications.applications order by created_at limit 1"
        )
        return await tickets.open(tx, kind="human", text="利息", openid="c2", customer_id=customer_id)


async def test_a_machine_without_a_key_changes_nothing_and_is_told_so(road: Road) -> None:
    handed = await road.hand_off(await road.apply(number_of(304)))
    url = await open_mobile_bank.open_mobile_bank(road.context, JIA, handed.id)
    body = {"customer_hash": road.hash_of(number_of(304)), "token": url.partition("?token=")[2]}
    content, headers = road.signed(body)
    refused = await road.web.post("/api/mobile-bank/redeem", content=content, headers=headers)
    assert (refused.status_code, "Idempotency-Key" in refused.json()["message"]) == (400, True)
    assert (await road.call("redeem", body)).status_code == 200


async def _reports(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("select count(*) from campaigns.reports"))


async def report_of(phone: Phone) -> dict[str, str]:
    await phone.get("/report")
    return phone.page.form("/report").filled(kind="fee_asked", said="有人要 200 元")


async def test_a_form_without_its_key_changes_nothing(phone: Phone, owner: asyncpg.Connection) -> None:
    form = await report_of(phone)
    before = await _reports(owner)
    refused = await phone.http.post("/report", data={**form, "form_key": ""})
    assert (refused.status_code, await _reports(owner)) == (400, before)


async def test_twenty_at_once_with_one_key_are_one(phone: Phone, owner: asyncpg.Connection) -> None:
    form = await report_of(phone)
    before = await _reports(owner)
    replies = await asyncio.gather(*(phone.http.post("/report", data=form) for _ in range(20)))
    assert {(reply.status_code, reply.content) for reply in replies} == {(200, replies[0].content)}
    assert await _reports(owner) == before + 1


async def test_who_repeats_while_the_first_is_at_work_is_told_when_to_tap_again(
    phone: Phone, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_work(*_: object) -> tuple[bool, bytes | None]:
        raise idempotency.StillRunning()

    form, before = await report_of(phone), await _reports(owner)
    monkeypatch.setattr(idempotency.Claim, "look", at_work)
    told = await phone.http.post("/report", data=form)
    assert (told.status_code, told.headers.get("retry-after")) == (409, "3")
    assert told.headers["refresh"] == "3;url=/report", "the browser goes on by itself, without a script too"
    assert "刚才那一次还在办" in told.text
    assert "过几秒会自己打开" in told.text
    part = await phone.http.post("/report", data=form, headers={"hx-request": "true"})
    assert "过几秒会自己打开" not in part.text, "the page's script sends it again"
    assert await _reports(owner) == before


async def test_staff_who_tap_again_are_brought_back_to_where_the_form_stood(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_work(*_: object) -> tuple[bool, bytes | None]:
        raise idempotency.StillRunning()

    desk = await desks.of("SL0001")
    await desk.get("/console/calendar")
    form, came_from = desk.page.form("/console/calendar"), str(desk.reply.url)
    monkeypatch.setattr(idempotency.Claim, "look", at_work)
    told = await desk.http.post(form.action, data=form.filled(), headers={"referer": came_from})
    assert (told.status_code, told.headers["retry-after"]) == (409, "3")
    assert told.headers["refresh"] == "3;url=/console/calendar"
    assert "过几秒会自己打开" in told.text
    told = await desk.http.post(
        form.action, data=form.filled(), headers={"referer": "https://evil.example//x"}
    )
    assert told.headers["refresh"] == "3;url=/staff/sign-in", "never to a place somebody else named"


async def test_a_death_between_change_and_answer_doubles_nothing(
    studio: Studio, phone: Phone, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    """The claim is there, the answer is not. Once the lease has run out the repeat says what became of it."""
    form = await report_of(phone)
    before = await _reports(owner)
    phone.http._transport = httpx.ASGITransport(studio.app, raise_app_exceptions=False)
    failpoints.configure(f"{COMMITTED}=error:2x", tmp_path)  # the change, then the word that it failed
    try:
        died = await phone.http.post("/report", data=form)
    finally:
        failpoints.configure("")
    assert (died.status_code, await _reports(owner)) == (500, before + 1)
    with clock.at(clock.now() + idempotency.LEASE):
        told = await phone.http.post("/report", data=form)
        again = await phone.http.post("/report", data=form)
    number = await owner.fetchval("select ticket_no from campaigns.reports order by reported_at desc limit 1")
    assert (told.status_code, number in told.text, again.content) == (200, True, told.content)
    assert await _reports(owner) == before + 1


async def test_a_death_after_the_phone_was_proved_costs_the_person_nothing(
    studio: Studio, phone: Phone, zhang: Person, tmp_path: Path
) -> None:
    """The browser still has the token of before; the repeat gives it the new one."""
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    code = await phone.code(zhang.phone)
    form = phone.page.form("/apply/consents").filled(phone=zhang.phone, code=code, **phone.ticks())
    phone.http._transport = httpx.ASGITransport(studio.app, raise_app_exceptions=False)
    failpoints.configure(f"{COMMITTED}=error:2x", tmp_path)
    try:
        assert (await phone.http.post("/apply/consents", data=form)).status_code == 500
    finally:
        failpoints.configure("")
    with clock.at(clock.now() + idempotency.LEASE):
        told = await phone.http.post("/apply/consents", data=form)
    assert (told.status_code, told.headers["location"]) == (303, "/apply/liveness")
    await phone.get("/apply/liveness")
    assert phone.path == "/apply/liveness"


async def test_somebody_elses_key_tells_nothing(
    studio: Studio, phone: Phone, owner: asyncpg.Connection
) -> None:
    form = await report_of(phone)
    mine, stranger = await phone.http.post("/report", data=form), studio.phone()
    number = await owner.fetchval("select ticket_no from campaigns.reports order by reported_at desc limit 1")
    theirs = await report_of(stranger)
    taken = await stranger.http.post("/report", data={**theirs, "form_key": form["form_key"]})
    assert (mine.status_code, number in mine.text) == (200, True)
    assert (taken.status_code, number in taken.text) == (200, False)


async def test_nobody_but_the_sender_can_read_a_saved_answer(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    """C3: the hand-off code of the page stands in the answer, which database and vault together do not open."""
    number = await to_approved(studio, phone, zhang)
    await confirm_disclosure(phone, number)
    await phone.send(phone.page.form("/hand-off/code"))
    rows = await owner.fetch("select key, answer from outbox.idempotency where answer is not null")
    assert rows
    for row in rows:
        inner = studio.context.db.vault.open("outbox.idempotency", "answer", row["key"], row["answer"])
        with pytest.raises(Unreadable):
            studio.context.db.vault.open("request", "answer", row["key"], inner)
        with pytest.raises(zlib.error):
            zlib.decompress(inner[14:])


async def test_when_the_answer_is_emptied_a_repeat_is_led_to_the_page(
    studio: Studio, phone: Phone, owner: asyncpg.Connection
) -> None:
    form = await report_of(phone)
    await phone.http.post("/report", data=form)
    before, late = await _reports(owner), clock.now() + idempotency.ANSWERS_KEPT + timedelta(minutes=1)
    assert await idempotency.forget_answers(studio.context.db, late) >= 1
    again = await phone.http.post("/report", data=form)
    assert (again.status_code, again.headers["location"]) == (303, "/report")
    assert await _reports(owner) == before


@pytest.mark.parametrize("path", ["/report", "/resume", "/apply/start"])
async def test_a_get_asks_for_no_key(studio: Studio, phone: Phone, census: Any, path: str) -> None:
    before = await census.digests()
    await phone.get(path)
    assert await census.changed(before) == set()
