"""Staff find a person by number, phone or whole name: their county's alone, masked, written down (D3-14, D3-15)."""

from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import system
from backend.demo import staff_id
from backend.domains.audit import service as audit
from backend.flows import index_names, search_customers
from backend.flows.search_customers import SEARCHES, recognise
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desk, Desks, anew
from tests.h5.scene import PREFIX, referred

PAGE = "/console/support"


def phone_of(number: str) -> str:
    return f"139{number[-8:-1]}0"


async def look_for(desk: Desk, what: str) -> int:
    await desk.get(PAGE)
    await desk.send(desk.page.form(PAGE), what=what)
    return desk.reply.status_code


async def looked(road: Road, customer_id: str, institution: str = "4101") -> list[tuple[str, str]]:
    async with road.db.read(system(institution, "test")) as tx:
        entries = await audit.of(tx, customer_id)
    return [(e.actor, e.details) for e in entries if e.action == "customer.searched"]


async def test_a_person_is_found_by_number_phone_and_whole_name_masked_and_each_look_leaves_a_row(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made, number = await referred(road, owner, "4101", 601), id_number(601)
    desk = await desks.of("JX0101")
    for what in (number, number.lower(), f" {phone_of(number)[:3]} {phone_of(number)[3:]} ", "张三"):
        assert await look_for(desk, what) == 200, what
        assert made.application_no in desk.words
        assert f"/console/cases/{made.application_no}" in desk.page.links
        for secret in (number, phone_of(number), "张三"):
            assert secret not in desk.reply.text, f"{secret} after {what}"
    rows = await looked(road, made.customer_id or "")
    assert {actor for actor, _ in rows} == {f"staff:{staff_id('4101', 3)}"}
    by = [msgspec.json.decode(details)["by"] for _, details in rows]
    assert sorted(by) == ["id_number", "id_number", "name", "phone"]
    kept = await owner.fetchval("select string_agg(e::text, ' ') from audit.entries e")
    for secret in (number, phone_of(number), "张三"):
        assert secret not in kept


async def test_a_part_of_a_name_finds_nobody_and_that_is_written_down_too(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await referred(road, owner, "4101", 602)
    desk = await desks.of("JX0201")
    assert await look_for(desk, "张三丰") == 404
    assert ("没有找到" in desk.words, "张三丰" in desk.reply.text) == (True, False)
    async with road.db.read(JIA) as tx:
        [row] = [e for e in await audit.of(tx, "nobody") if e.action == "customer.searched"]
    assert (row.actor, row.details) == (f"staff:{staff_id('4101', 4)}", '{"by":"name"}')


async def test_a_county_finds_its_own_alone_and_head_office_everybody(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    number = id_number(603, PREFIX["4102"])
    foreign = await referred(road, owner, "4102", 603)
    county, union = await desks.of("JX0101"), await desks.of("SL0001")
    for what in (number, phone_of(number), "张三"):
        assert await look_for(county, what) == 404, what
        assert foreign.application_no not in county.reply.text
    assert await looked(road, foreign.customer_id or "", "4102") == []
    assert await look_for(union, number) == 200
    assert ("乙县农商银行" in union.words, foreign.application_no in union.words) == (True, True)
    assert len(await looked(road, foreign.customer_id or "", "4102")) == 1


async def test_roles_that_do_not_serve_customers_have_no_search(desks: Desks) -> None:
    for staff_no in ("JX0301", "JX0427"):
        desk = await desks.of(staff_no)
        assert (await desk.http.get(PAGE)).status_code == 403, staff_no


async def test_who_walks_through_numbers_is_stopped_for_the_hour(
    road: Road, desks: Desks, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SEARCHES, "most", 3)
    with clock.at(clock.now().replace(minute=10)):
        desk, other = await desks.of("JX0101"), await desks.of("JX0201")
        await desk.get(PAGE)
        form = desk.page.form(PAGE)
        for serial in range(3):
            await desk.send(anew(form), what=f"1391234567{serial}")
            assert desk.reply.status_code == 404
        await desk.send(anew(form), what="13912345679")
        assert (desk.reply.status_code, "请过 50 分钟" in desk.words) == (429, True)
        assert await look_for(other, "13912345679") == 404, "each for themselves"
    with clock.at(clock.now().replace(minute=10) + timedelta(hours=1)):
        desk = await desks.of("JX0101")
        assert await look_for(desk, "13912345679") == 404


async def test_who_was_known_before_names_were_indexed_is_found_once_the_worker_has_passed(
    road: Road, owner: asyncpg.Connection
) -> None:
    made = await referred(road, owner, "4101", 604)
    await owner.execute("update customers.people set name_blind = null")
    admin = JIA.within("4101")
    with pytest.raises(search_customers.NobodyFound):
        await search_customers.search_customers(road.context, admin, "张三", within="4101")
    assert await index_names.index_names(road.context) > 0
    found = await search_customers.search_customers(road.context, admin, "张三", within="4101")
    assert made.customer_id in {each.person.id for each in found.people}
    assert await index_names.index_names(road.context) == 0


def test_what_is_typed_is_recognised_by_its_shape() -> None:
    assert recognise("4117 0119 8001 0100 1x") == ("id_number", "41170119800101001X")
    assert recognise("139-1234-5678") == ("phone", "13912345678")
    assert recognise("阿依古丽·买买提") == ("name", "阿依古丽·买买提")
    for what in ("261126000123", "oZhangSan0001", "", "张"):
        assert recognise(what) is None
