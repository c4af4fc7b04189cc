"""A reviewer or auditor takes a case away as a file: with a reason, and noted (N6)."""

import asyncpg

from backend.core.actor import system
from backend.domains.audit import service as audit
from backend.domains.decision import capsule_file
from backend.domains.decision import service as decisions
from tests.flows.conftest import Road
from tests.h5.conftest import Desks, desks, road
from tests.h5.scene import referred

__all__ = ["desks", "road"]


async def test_the_file_comes_with_a_reason_and_a_row_in_the_chain(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 511)
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{application.application_no}")
    form = desk.page.form("/capsule")
    await desk.send(form, reason="看")
    assert desk.reply.status_code == 422
    assert "取存证要写明理由，至少四个字" in desk.words
    await desk.send(form, reason="客户投诉要核对")
    assert desk.reply.status_code == 200
    assert f"capsule-{application.application_no}.json" in desk.reply.headers["content-disposition"]
    assert decisions.replay_capsule(desk.reply.content).same_bytes
    async with road.db.read(system("4101", "test")) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded is not None
        noted = [entry for entry in await audit.of(tx, recorded.id) if entry.action == "capsule.exported"]
    assert len(noted) == 1
    assert "客户投诉要核对" in noted[0].details


async def test_the_masked_file_names_nobody(road: Road, desks: Desks, owner: asyncpg.Connection) -> None:
    application = await referred(road, owner, "4101", 512)
    desk = await desks.of("JX0401")
    await desk.get(f"/console/cases/{application.application_no}")
    await desk.send(desk.page.form("/capsule"), reason="培训时演示", masked="yes")
    held = capsule_file.read(desk.reply.content)
    assert held.masked
    assert "1980-03-07" not in desk.reply.text


async def test_who_may_not_take_it_is_not_offered_it(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 513)
    desk = await desks.of("JX0101")
    await desk.get(f"/console/cases/{application.application_no}")
    assert "下载存证" not in desk.words
