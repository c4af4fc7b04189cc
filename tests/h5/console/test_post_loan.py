"""Held drawdowns and warnings before the people who look at them: in the studio and on the console (A7-06, A6-06)."""

import asyncpg
import pytest

from backend.core.actor import system
from backend.domains.post_loan import drawdowns, warnings
from h5.console import post_loan
from tests.flows.conftest import JIA, Road
from tests.h5.conftest import Desks, desks, road
from tests.h5.scene import after_the_loan, referred

__all__ = ["desks", "road"]


async def test_the_officer_finds_both_among_who_needs_him_and_answers_them(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 601)
    held, warned, _ = await after_the_loan(road, application, str(application.officer_id))
    desk = await desks.of("JX0427")
    await desk.get("/studio")
    assert "用款 5,000 元等您核实" in desk.words
    assert "电话核实" in desk.words
    await desk.get(f"/studio/drawdowns/{held}")
    await desk.send(desk.page.form(f"/studio/drawdowns/{held}"), verdict="released", found="好")
    assert (desk.reply.status_code, "至少四个字" in desk.words) == (422, True)
    await desk.send(desk.page.form(f"/studio/drawdowns/{held}"), verdict="released", found="问过本人，买化肥")
    assert "核实后放行" in desk.words
    await desk.get(f"/studio/warnings/{warned}")
    await desk.send(
        desk.page.form(f"/studio/warnings/{warned}"), finding="false_alarm", done="已经还了，晚入账"
    )
    assert "已解除" in desk.words
    await desk.get("/studio")
    assert "等您核实" not in desk.words
    async with road.db.read(JIA) as tx:
        assert await warnings.level(tx, str(application.customer_id)) == "none"
        assert (await drawdowns.get(tx, held)).status == "released"
    sealed = await owner.fetchval("select found from post_loan.drawdown_checks")
    assert "化肥".encode() not in bytes(sealed)


async def test_the_county_sees_all_and_how_many_were_false(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 602)
    held, warned, _ = await after_the_loan(road, application, str(application.officer_id))
    desk = await desks.of("JX0201")
    await desk.get("/console/post-loan")
    assert "逾期 9 天" in desk.words
    await desk.send(
        desk.page.form(f"/console/warnings/{warned}"), finding="false_alarm", done="系统晚入账一天"
    )
    assert "100%" in desk.words
    assert "还不知道" in desk.words, "whether it came true"
    await owner.execute("update post_loan.warnings set raised_on = raised_on - 100")
    await desk.get("/console/post-loan")
    assert "0（0%）" in desk.words, "100 days later nothing was overdue"
    await desk.send(desk.page.form(f"/console/drawdowns/{held}"), verdict="rejected", found="收款人说不清楚")
    assert "现在没有。拿不准的用款会排在这里" in desk.words
    auditor = await desks.of("JX0401")
    await auditor.get("/console/post-loan")
    assert auditor.reply.status_code == 200
    assert not [form for form in auditor.page.forms if "/console/warnings" in form.action]


async def test_an_officer_does_not_lift_a_freeze_and_a_reviewer_does(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 603)
    _, warned, _ = await after_the_loan(road, application, str(application.officer_id))
    async with road.db.begin(system("4101", "test")) as tx:
        found = await warnings.get(tx, warned)
        stricter = warnings.Signal(
            application_id=found.application_id, customer_id=found.customer_id, owner_id=found.owner_id,
            action="freeze", codes=("EW_COURT",), said="有新的被执行记录", assessment_id=found.assessment_id,
        )  # fmt: skip
        assert await warnings.signalled(tx, stricter, found.last_on, found.due_on, found.last_on)
    officer = await desks.of("JX0427")
    await officer.get(f"/studio/warnings/{warned}")
    assert "误报" not in officer.words
    form = officer.page.form(f"/studio/warnings/{warned}")
    form.values["finding"] = "false_alarm"
    sent = {**form.values, "finding": "false_alarm", "done": "看过没有问题"}
    assert (await officer.http.post(form.action, data=sent)).status_code == 403
    reviewer = await desks.of("JX0201")
    await reviewer.get("/console/post-loan")
    await reviewer.send(
        reviewer.page.form(f"/console/warnings/{warned}"), finding="handled", done="案子已经撤回"
    )
    async with road.db.read(JIA) as tx:
        assert await warnings.level(tx, str(application.customer_id)) == "none"


async def test_a_measure_that_stands_behind_the_first_page_of_others_can_be_lifted(
    road: Road, desks: Desks, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list ended at a hundred: a customer whose line was frozen behind them could not be released (A6-06)."""
    monkeypatch.setattr(post_loan, "PAGE", 1)
    warned = []
    for serial in (605, 606):
        application = await referred(road, owner, "4101", serial)
        warned.append((await after_the_loan(road, application, str(application.officer_id)))[1])
    desk = await desks.of("JX0201")
    for each in warned:
        for page in (1, 2):
            await desk.get(f"/console/post-loan?open={page}")
            if f"/console/warnings/{each}" in desk.reply.text:
                form = desk.page.form(f"/console/warnings/{each}")
        await desk.send(form, finding="stands", done="还在核实，先不放开")
    await desk.get("/console/post-loan")
    assert "处理过、措施保留的 2 条" in desk.words
    [first] = [each for each in warned if f"/console/warnings/{each}" in desk.reply.text]
    other = next(each for each in warned if each != first)
    await desk.get(next(link for link in desk.page.links if "standing=2" in link))
    await desk.send(desk.page.form(f"/console/warnings/{other}"), finding="cleared", done="好")
    assert desk.reply.status_code == 422
    assert "至少四个字" in desk.words, "on the page where it was written"
    await desk.send(
        desk.page.form(f"/console/warnings/{other}"), finding="false_alarm", done="核实过，是误报"
    )
    assert "处理过、措施保留的 1 条" in desk.words
    for page in ("99", "0", "-1", "²", "9" * 5000):
        assert (await desk.get(f"/console/post-loan?standing={page}")).status_code == 200


async def test_a_held_drawdown_behind_the_first_page_is_found_and_answered(
    road: Road, desks: Desks, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list ended at a hundred, and nobody saw that there were more (A7-06)."""
    monkeypatch.setattr(post_loan, "PAGE", 1)
    held = []
    for serial in (607, 608):
        application = await referred(road, owner, "4101", serial)
        held.append((await after_the_loan(road, application, str(application.officer_id)))[0])
    desk = await desks.of("JX0201")
    await desk.get("/console/post-loan")
    assert "等人核实的用款 2 笔" in desk.words
    [other] = [each for each in held if f"/console/drawdowns/{each}" not in desk.reply.text]
    await desk.get(next(link for link in desk.page.links if "held=2" in link))
    await desk.send(desk.page.form(f"/console/drawdowns/{other}"), verdict="released", found="好")
    assert (desk.reply.status_code, "至少四个字" in desk.words) == (422, True), (
        "on the page where it was written"
    )
    await desk.send(
        desk.page.form(f"/console/drawdowns/{other}"), verdict="released", found="问过本人，买化肥"
    )
    assert "等人核实的用款 1 笔" in desk.words
