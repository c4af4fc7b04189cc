"""A stored decision tried on a draft: opened from its case, written down, its own institution only (A3-33)."""

import asyncpg

from backend.core.actor import system
from backend.domains.audit import service as audit
from backend.domains.decision import service as decisions
from tests.flows.conftest import Road
from tests.h5.conftest import Desks, desks, road
from tests.h5.console.test_strategies import OWN, draft, levers, new_row
from tests.h5.scene import referred

__all__ = ["desks", "road"]


async def test_the_facts_of_a_case_start_the_sliders_and_the_difference_is_told(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 611)
    number = application.application_no
    maker = await desks.of("JX0101")
    base = await draft(maker)
    await new_row(maker, base, **OWN)
    path = maker.path
    count = await owner.fetchval("select count(*) from decision.decisions")

    reviewer = await desks.of("JX0201")
    direct = await reviewer.get(f"{path}/try?decision={number}")
    assert (direct.status_code, "请从这笔申请的页面打开" in reviewer.words) == (403, True)
    await reviewer.get(f"/console/cases/{number}")
    form = reviewer.page.form(f"/console/cases/{number}/try")
    await reviewer.send(form, version=path.rsplit("/", 1)[1])
    assert (reviewer.reply.status_code, reviewer.path) == (200, f"{path}/try")
    assert f"申请 {number} 当时的资料" in reviewer.words
    assert "和当时一样" in reviewer.words, reviewer.words
    assert 'class="box lit"' in reviewer.reply.text
    assert "存成一个场景" not in reviewer.words, "no scenario is made of a customer"
    form = next(f for f in reviewer.page.forms if f.action.endswith("/try") and f.method == "post")
    await reviewer.send(form, **{levers(reviewer)["近 6 个月贷款查询"]: "7"})
    assert "多了理由：近 6 个月查询贷款 7 次" in reviewer.words, reviewer.words
    assert await owner.fetchval("select count(*) from decision.decisions") == count
    async with road.db.read(system("4101", "test")) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded is not None
        noted = [entry for entry in await audit.of(tx, recorded.id) if entry.action == "decision.tried"]
    assert len(noted) == 1

    other = await desks.of("JX0301")
    await other.get(f"{path}/try?decision={number}")
    assert other.reply.status_code == 403, "each person opens it for themselves"


async def test_another_county_and_head_office_and_who_need_not_know_do_not_get_at_it(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 612)
    number = application.application_no
    union = await desks.of("SL0001")
    base = await draft(union)
    for staff_no, status in (("YX0201", 404), ("SL0002", 404), ("JX0101", 403)):
        desk = await desks.of(staff_no)
        await desk.get("/console")
        token = next(f.values["csrf_token"] for f in desk.page.forms if "csrf_token" in f.values)
        given = {"csrf_token": token, "form_key": base.rsplit("/", 1)[1], "version": base.rsplit("/", 1)[1]}
        reply = await desk.http.post(f"/console/cases/{number}/try", data=given)
        assert reply.status_code == status, staff_no
        reply = await desk.http.get(f"{base}/try?decision={number}")
        assert reply.status_code in (403, 404), staff_no
    county = await desks.of("JX0101")
    await county.get(f"/console/cases/{number}")
    assert "换一版规则试算" not in county.words
