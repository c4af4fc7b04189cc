"""数据来源: its state on a page, and head office's switch with a reason (N19)."""

from datetime import timedelta

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.audit import service as audit
from backend.domains.evidence import breakers, sources
from tests.flows.conftest import Road, id_number
from tests.h5.conftest import Desks, anew

CORE = sources.every()["core_banking"]


async def test_stopped_by_hand_nobody_asks_it_and_resumed_the_waiting_case_goes_on(
    road: Road, desks: Desks
) -> None:
    office, county = await desks.of("SL0001"), await desks.of("JX0101")
    await county.get("/console/sources")
    assert "/console/sources" not in [form.action for form in county.page.forms]
    await office.get("/console/sources")
    [form] = [f for f in office.page.forms if f.values.get("source") == "core_banking"]
    await office.send(form, act="stop", hours="4", reason="")
    assert (office.reply.status_code, "请写明为什么" in office.words) == (422, True)
    await office.send(anew(form), act="stop", hours="4", reason="核心系统今晚升级")
    assert ("核心系统今晚升级" in office.words, "周省写的" in office.words) == (True, True)
    application = await road.apply(id_number(851))
    assert application.status == "held"
    await office.get("/console")
    assert "1 笔申请在等数据来源恢复" in office.words
    await county.get(f"/console/cases/{application.application_no}")
    assert "在等账户情况：它一恢复，系统自动接着审批" in county.words, county.words
    assert "还没有恢复，就转给审查人" in county.words
    assert "客户提交以后，这里画出" not in county.words
    assert "asked.core_banking" not in await road.events(application)
    # an answer that was on its way, and one of another process, undo nothing
    async with road.db.begin(everywhere("test")) as tx:
        assert not await breakers.answered(tx, CORE)
        assert not await breakers.admit(tx, CORE)
    await county.get("/console/sources")
    assert "1 笔申请在等数据" in county.words
    assert "人工停的" in county.words
    await office.get("/console/sources")
    [form] = [f for f in office.page.forms if f.values.get("source") == "core_banking"]
    await office.send(form, act="resume", hours="1", reason="升级做完了")
    await road.drain()
    assert (await road.see(application)).status == "approved"
    await office.get("/console")
    assert "在等数据来源恢复" not in office.words
    twice = await office.send(anew(form), act="resume", hours="1", reason="升级做完了")
    assert twice.status_code == 409
    async with road.db.read(system("0000", "test")) as tx:
        acts = [entry.action for entry in await audit.of(tx, "core_banking")]
    assert sorted(acts) == ["source.resumed", "source.stopped"]


async def test_when_its_time_is_over_it_is_tried_by_itself(road: Road) -> None:
    now = clock.now()
    async with road.db.begin(system("0000", "test")) as tx:
        await breakers.stop(tx, CORE, 1, "换线路")
    for minutes, admitted in ((59, False), (61, True)):
        with clock.at(now + timedelta(minutes=minutes)):
            async with road.db.begin(everywhere("test")) as tx:
                assert await breakers.admit(tx, CORE) is admitted
    with clock.at(now + timedelta(minutes=62)):
        async with road.db.begin(everywhere("test")) as tx:
            assert await breakers.answered(tx, CORE)
            assert (await breakers.every(tx))["core_banking"].state == "closed"
