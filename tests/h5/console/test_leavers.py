"""离岗: codes void, browsers signed out, customers handed to a colleague; never by oneself (N1, A1-04)."""

from datetime import timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import Actor, system
from backend.demo import staff_id
from backend.domains.applications import service as applications
from backend.domains.audit import service as audit
from backend.domains.channels import service as channels
from backend.domains.channels import tickets
from backend.domains.channels.service import Scan
from backend.domains.identity.model import AlreadyLeft, NotYours, NotYourself
from backend.domains.post_loan import collections, warnings
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import NobodyToAsk
from backend.domains.surveys import service as surveys
from backend.flows import end_posting, hand_over_customers, return_case
from tests.flows.conftest import JIA, Road
from tests.h5.conftest import Desk, Desks
from tests.h5.scene import referred, review_of, reviewer, scene
from tests.officer_codes import codes_of

LISI, WANGFANG = staff_id("4101", 1), staff_id("4101", 2)
PAGE = f"/console/officers/4101/{LISI}"
ADMIN = Actor("staff", staff_id("4101", 3), "4101", frozenset({"county_admin"}), "赵长根")


async def end(desk: Desk, reason: str = "合同到期，不再续聘") -> None:
    await desk.get(PAGE)
    await desk.send(desk.page.form(f"{PAGE}/leave"), reason=reason)


async def test_who_leaves_is_out_at_once_and_every_printed_code_says_so(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    officer, phone, admin = await desks.of("JX0427"), await desks.of("JX0427"), await desks.of("JX0101")
    assert (await officer.get("/studio")).status_code == 200
    await end(admin, "")
    assert (admin.reply.status_code, "请写明为什么离岗" in admin.words) == (422, True)
    await end(admin)
    assert (admin.reply.status_code, "已离岗" in admin.words) == (200, True)
    for browser in (officer, phone):
        await browser.get("/studio")
        assert browser.path == "/staff/sign-in", "the next request already"
    await officer.get(await officer.pick(await officer.to_sign_on(), "JX0427"))
    assert (officer.reply.status_code, "已经停用" in officer.words) == (403, True)
    with clock.at(clock.now() + timedelta(seconds=1)):
        landing = await road.web.get(f"/q/{made.token}")
    assert (landing.status_code, "客户经理已离岗" in landing.text) == (410, True)
    assert "合同到期" not in landing.text, "why is not told to whoever scans"
    async with road.db.read(JIA) as tx:
        codes = await codes_of(tx, LISI)
        [row] = [e for e in await audit.of(tx, LISI) if e.action == "officer.posting_ended"]
        [left] = [e for e in await audit.of(tx, "JX0427") if e.action == "staff.left"]
    assert codes
    assert all(code.revoked_at for code in codes)
    assert row.actor == f"staff:{ADMIN.id}"
    assert ("合同到期" in row.details, left.details) == (True, '{"sessions":2}')


async def test_a_county_is_shown_whom_nobody_looks_after_and_hands_all_over_in_one_act(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    async with road.db.begin(JIA) as tx:
        [code] = [c for c in await codes_of(tx, LISI) if c.placement == "group"]
        await channels.scanned(tx, "oNeighbour", Scan(code.id, code.token, LISI, "SXD"))
    admin = await desks.of("JX0101")
    await admin.get("/console/officers")
    assert "去交接" not in admin.words
    await end(admin)
    await admin.get("/console/officers")
    assert "离岗了，名下还有 1 位客户、1 个微信没有人管" in admin.words
    await admin.get(PAGE)
    assert f"/console/cases/{made.number}" in admin.page.links
    for words in ("没办完的申请 1 笔", "答应回电话的 1 件", "审查人等核实的 1 件"):
        assert words in admin.words
    form = admin.page.form(f"{PAGE}/hand-over")
    await admin.send(form, to="")
    assert (admin.reply.status_code, "请选一位在岗的客户经理" in admin.words) == (422, True)
    await admin.send(admin.page.form(f"{PAGE}/hand-over"), to=WANGFANG)
    assert (admin.reply.status_code, "没有人管" in admin.words) == (200, False)
    async with road.db.read(JIA) as tx:
        case = await applications.get(tx, made.application.id)
        events = await applications.events(tx, case.id)
        follower = await channels.follower(tx, "oNeighbour")
        owed, calls = await reviews.owed(tx, WANGFANG), await tickets.calls(tx, WANGFANG)
        [row] = [e for e in await audit.of(tx, LISI) if e.action == "officer.handed_over"]
    assert (case.officer_id, case.brought_by, case.updated_at) == (
        WANGFANG, LISI, made.application.updated_at,
    )  # fmt: skip
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert (events[-1].event, events[-1].from_status) == ("officer_changed", events[-1].to_status)
    assert follower is not None
    assert (follower.officer_id, follower.code_token) == (WANGFANG, None)
    assert ([i.inquiry.id for i in owed], [c.ticket_no for c in calls]) == ([made.inquiry], [made.call])
    assert '"cases":1' in row.details
    colleague = await desks.of("JX0428")
    await colleague.get(f"/studio/leads/{made.number}")
    assert (colleague.reply.status_code, "换了客户经理" in colleague.words) == (200, True)
    assert await owner.fetchval(
        "select count(*) from applications.events e where hash <> applications.link((select p.hash from "
        "applications.events p where p.application_id = e.application_id and p.seq = e.seq - 1), e.application_id, "
        "e.seq, e.event, e.from_status, e.to_status, e.who, e.why, e.at)"
    ) == 0, "the chain of each case holds"  # fmt: skip


async def test_warnings_collection_cases_and_unfinished_surveys_go_along(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    case = made.application
    assert case.customer_id is not None
    assessment = str(await owner.fetchval("select id from decision.assessments limit 1"))
    of = {
        "application_id": case.id,
        "customer_id": case.customer_id,
        "owner_id": LISI,
        "assessment_id": assessment,
    }
    today = clock.today()
    async with road.db.begin(Actor("staff", LISI, "4101", frozenset({"officer"}), "李四")) as tx:
        signal = warnings.Signal(**of, action="visit", codes=("EW_visit",), said="三个月没有进账")
        assert await warnings.signalled(tx, signal, today, today, today)
        plan = collections.Plan(
            **of,
            days_past_due=3,
            balance_fen=100_000,
            action="call",
            channel="call",
            said="打电话问问",
            next_on=today,
        )
        await collections.planned(tx, plan, today)
        await surveys.begin(tx, case.id, case.customer_id)
    admin = await desks.of("JX0101")
    await end(admin)
    await admin.get(PAGE)
    for words in ("没处理完的预警 1 条", "在催的逾期 1 笔", "没做完的调查 1 份"):
        assert words in admin.words
    moved = await hand_over_customers.hand_over_customers(road.context, ADMIN, LISI, WANGFANG)
    assert (moved.warnings, moved.collections, moved.surveys) == (1, 1, 1)
    async with road.db.read(Actor("staff", WANGFANG, "4101", frozenset({"officer"}), "王芳")) as tx:
        assert len(await warnings.of_owner(tx, WANGFANG)) == 1
        assert len(await collections.of_owner(tx, WANGFANG, today)) == 1
        assert len(await surveys.of_officer(tx)) == 1
    await admin.get(PAGE)
    assert "没有人管" not in admin.words


async def test_head_office_may_a_colleague_or_oneself_may_not(road: Road, desks: Desks) -> None:
    both = Actor("staff", LISI, "4101", frozenset({"officer", "county_admin"}), "李四")
    with pytest.raises(NotYourself):
        await end_posting.end_posting(road.context, both, LISI, "自己不干了")
    for actor in (reviewer("4101"), both.within("4102")):
        with pytest.raises((NotYours, end_posting.StaffNotFound)):
            await end_posting.end_posting(road.context, actor, LISI, "不归他管")
    union = await desks.of("SL0001")
    await end(union, "省联社通知停职")
    assert "已离岗" in union.words
    with pytest.raises(AlreadyLeft):
        await end_posting.end_posting(road.context, ADMIN, LISI, "再办一次离岗")
    reader = await desks.of("JX0201")
    await reader.get(PAGE)
    assert not [form for form in reader.page.forms if form.action.startswith(PAGE)]


async def test_an_old_proof_of_who_it_is_does_not_end_a_posting(road: Road, desks: Desks) -> None:
    start = clock.now()
    admin = await desks.of("JX0101")
    await admin.get(PAGE)
    form = admin.page.form(f"{PAGE}/leave")
    with clock.at(start + timedelta(minutes=6)):
        await admin.send(form, reason="合同到期，不再续聘")
        assert admin.reply.status_code == 403
        await admin.confirm()
        assert admin.path == PAGE
        await end(admin)
    assert "已离岗" in admin.words


async def test_nobody_on_duty_is_relieved_and_nobody_gone_takes_over(road: Road) -> None:
    for to in (WANGFANG, staff_id("4101", 4), staff_id("4102", 1), "", LISI):
        with pytest.raises(hand_over_customers.Invalid):
            await hand_over_customers.hand_over_customers(road.context, ADMIN, LISI, to)
    await end_posting.end_posting(road.context, ADMIN, LISI, "调到别的支行")
    for to in (staff_id("4101", 4), staff_id("4102", 1), "", LISI):
        with pytest.raises(hand_over_customers.Invalid):
            await hand_over_customers.hand_over_customers(road.context, ADMIN, LISI, to)
    moved = await hand_over_customers.hand_over_customers(road.context, ADMIN, LISI, WANGFANG)
    assert moved == hand_over_customers.HandedOver()


async def test_a_reviewer_sends_no_case_back_to_who_has_left(road: Road, owner: asyncpg.Connection) -> None:
    made = await referred(road, owner, "4101", 611)
    review = await review_of(road, made)
    await end_posting.end_posting(road.context, ADMIN, LISI, "调到别的支行")
    with pytest.raises(NobodyToAsk):
        await return_case.return_case(road.context, reviewer("4101"), review.id, "请到家里看看")
    await hand_over_customers.hand_over_customers(road.context, ADMIN, LISI, WANGFANG)
    await return_case.return_case(road.context, reviewer("4101"), review.id, "请到家里看看")
    async with road.db.read(system("4101", "test")) as tx:
        assert len(await reviews.owed(tx, WANGFANG)) == 1
