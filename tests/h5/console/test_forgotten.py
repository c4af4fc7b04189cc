"""What staff see of somebody who was made anonymous: that it was so, what came of the case, and nothing else (D7)."""

from datetime import timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.flows import forget_people
from tests.flows.conftest import Road, id_number
from tests.h5.conftest import Desks

ME = id_number(611)
AFTER = timedelta(days=92)


async def forgotten(road: Road, owner: asyncpg.Connection) -> Application:
    application = await road.apply(ME, script={"preset": "queries"})
    await owner.execute(
        "update applications.applications set officer_id = $1 where id = $2",
        staff_id("4101", 1),
        application.id,
    )
    with clock.at(clock.now() + AFTER):
        assert await forget_people.forget_people(road.context) == {"4101": 1}
        await road.drain()
    return await road.see(application)


@pytest.mark.parametrize("staff_no", ["JX0201", "JX0301", "SL0001"])
async def test_the_case_says_that_its_person_was_forgotten_and_how_it_ended(
    road: Road, desks: Desks, owner: asyncpg.Connection, staff_no: str
) -> None:
    application = await forgotten(road, owner)
    desk = await desks.of(staff_no)
    await desk.get(f"/console/cases/{application.application_no}")
    assert desk.reply.status_code == 200
    for words in ("已匿名", "未通过", "保存期满", "不能重算", "客户资料已匿名"):
        assert words in desk.words, words
    for words in (ME, "张", "身份证号", "****", "岁", "下载存证", "换一版规则"):
        assert words not in desk.words, words


async def test_the_officer_reads_it_too_and_has_nobody_to_call(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await forgotten(road, owner)
    desk = await desks.of("JX0427")
    await desk.get("/studio/leads")
    assert "已匿名" in desk.words
    await desk.get(f"/studio/leads/{application.application_no}")
    assert desk.reply.status_code == 200
    assert "客户要求删除，资料已匿名" in desk.words
    assert [form for form in desk.page.forms if "phone" in form.action or "survey" in form.action] == []


async def test_who_looks_for_the_number_finds_nobody_and_the_auditor_how_many_there_were(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await forgotten(road, owner)
    desk = await desks.of("JX0401")
    await desk.get("/console/audit")
    assert "已匿名 1 人" in desk.words
    await desk.send(next(f for f in desk.page.forms if f.action == "/console/audit" and f.method == "post"))
    assert "保存期满或客户要求删除，客户资料匿名" in desk.words
    desk = await desks.of("JX0201")
    await desk.get("/console/support")
    await desk.send(next(f for f in desk.page.forms if f.action == "/console/support"), what=ME)
    assert "没有找到" in desk.words
    await desk.get("/console/support")
    found = next(f for f in desk.page.forms if f.action == "/console/support")
    await desk.send(found, what=application.application_no)
    assert desk.reply.status_code == 200
    assert "已匿名" in desk.words
