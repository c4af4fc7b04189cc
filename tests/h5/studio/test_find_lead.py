"""An officer finds one of fifteen hundred customers without turning fifty pages (A10-06, D3-15)."""

import asyncpg
import msgspec

from backend.core.actor import system
from backend.demo import staff_id
from backend.domains.audit import service as audit
from tests.flows.conftest import Road, id_number
from tests.h5.conftest import Desk, Desks
from tests.h5.scene import referred
from tests.h5.studio.test_studio import HOUSEHOLDS, households

PAGE = "/studio/leads"


async def look_for(desk: Desk, what: str) -> int:
    await desk.get(PAGE)
    await desk.send(desk.page.form(PAGE), what=what)
    return desk.reply.status_code


async def test_one_of_fifteen_hundred_is_found_by_number_phone_and_whole_name_and_each_look_is_written_down(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made, number = await referred(road, owner, "4101", 611), id_number(611)
    await households(owner, HOUSEHOLDS)
    desk = await desks.of("JX0427")
    for what in (made.application_no, number, f"139{number[-8:-1]}0", "张三"):
        assert await look_for(desk, what) == 200, what
        assert "找到 1 笔" in desk.words
        assert f"/studio/leads/{made.application_no}" in desk.page.links
        assert number not in desk.reply.text
        assert "张三" not in desk.reply.text
    async with road.db.read(system("4101", "test")) as tx:
        rows = [e for e in await audit.of(tx, made.customer_id or "") if e.action == "customer.searched"]
    assert {row.actor for row in rows} == {f"staff:{staff_id('4101', 1)}"}
    by = sorted(msgspec.json.decode(row.details)["by"] for row in rows)
    assert by == ["application", "id_number", "name", "phone"]


async def test_a_colleagues_customer_and_one_of_another_county_are_not_found(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made, foreign = await referred(road, owner, "4101", 612), await referred(road, owner, "4102", 613)
    colleague = await desks.of("JX0428")
    for what in (made.application_no, foreign.application_no, id_number(612), "张三", "没有这个人", ""):
        assert await look_for(colleague, what) in (200, 422), what
        assert made.application_no not in colleague.reply.text
        assert foreign.application_no not in colleague.reply.text
