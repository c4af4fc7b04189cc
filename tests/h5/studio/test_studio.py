"""An officer's phone: the day in figures, who needs them now, codes, posters, customers (A3-01, A1-04, A10-06)."""

import io
import json
from datetime import timedelta

import asyncpg
import pytest
from PIL import Image

from backend.core import clock, ids
from backend.core.actor import Actor
from backend.demo import staff_id
from backend.domains.applications.model import APPLICATION
from backend.domains.audit import service as audit
from backend.domains.campaigns import service as campaigns
from backend.overview import officer_day
from backend.overview.work_list import Q
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desks, anew
from tests.h5.scene import referred, scene
from tests.officer_codes import codes_of

LI_SI = Actor("staff", staff_id("4101", 1), "4101", frozenset({"officer"}), "李四")
HOUSEHOLDS = 1_500


async def bring(owner: asyncpg.Connection, application_id: str, code_id: str | None = None) -> None:
    """As if it had come through the officer's code."""
    await owner.execute(
        "update applications.applications set officer_id = $1, code_id = $2 where id = $3",
        LI_SI.id, code_id, application_id,
    )  # fmt: skip


async def group_code(road: Road) -> str:
    async with road.db.read(JIA) as tx:
        codes = await codes_of(tx, LI_SI.id)
    return next(code.id for code in codes if code.placement == "group")


async def test_the_first_page_counts_today_for_my_codes_only(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    code = await group_code(road)
    async with road.db.begin(JIA) as tx:
        for visitor in ("a", "a", "b"):
            await campaigns.record_scan(tx, code, channel="qr", visitor=visitor)
    mine = await road.apply(id_number(601))
    await bring(owner, mine.id)
    await road.apply(id_number(602))  # nobody's code
    desk = await desks.of("JX0427")
    assert "2 今日扫码 1 提交 1 通过 0 用款" in desk.words
    assert "柳林支行 · 1 户" in desk.words
    async with road.db.read(LI_SI) as tx:
        funnel = await officer_day.funnel(tx)
    assert (funnel.visitors, funnel.begun, funnel.submitted, funnel.approved, funnel.drawn) == (2, 1, 1, 1, 0)
    colleague = await desks.of("JX0428")
    assert "0 今日扫码 0 提交 0 通过 0 用款" in colleague.words
    assert "现在没有要跟的" in colleague.words


async def test_yesterday_is_not_today(road: Road, desks: Desks, owner: asyncpg.Connection) -> None:
    mine = await road.apply(id_number(603))
    await bring(owner, mine.id)
    await owner.execute(
        "update applications.applications set submitted_at = submitted_at - interval '1 day',"
        " decided_at = decided_at - interval '1 day' where id = $1", mine.id
    )  # fmt: skip
    assert "0 提交 0 通过" in (await desks.of("JX0427")).words


async def test_what_to_do_now_comes_in_order_each_with_its_reason(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await scene(road, owner)  # a question of the reviewers
    code = await group_code(road)
    stopped = await road.draft(id_number(604))
    await bring(owner, stopped.id, code)
    offered = await road.apply(id_number(605))
    await bring(owner, offered.id)
    desk = await desks.of("JX0427")
    order = [desk.words.index(each) for each in ("审查人请您核实", "停在填用途和金额", "额度还没签约")]
    assert order == sorted(order)
    assert "从“柳林花木群”进来，没有同意营销联系，等客户自己回来" in desk.words
    assert "等客户看明示表" in desk.words
    assert "张三" not in desk.words


async def test_an_offer_about_to_end_comes_before_who_stopped_on_the_road(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    stopped, offered = await road.draft(id_number(606)), await road.apply(id_number(607))
    await bring(owner, stopped.id)
    await bring(owner, offered.id)
    order = [(await desks.of("JX0427")).words.index(each) for each in ("停在填用途和金额", "额度还没签约")]
    assert order == sorted(order)
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        await owner.execute("update contracts.contracts set valid_until = current_date + 1")
    order = [(await desks.of("JX0427")).words.index(each) for each in ("额度还没签约", "停在填用途和金额")]
    assert order == sorted(order)


async def test_a_code_is_shown_to_be_scanned_with_its_state_and_how_long_it_holds(
    road: Road, desks: Desks
) -> None:
    desk = await desks.of("JX0427")
    await desk.get("/studio/codes")
    for words in ("真实有效", "已作废", "海报已更换", "已过期", "授权到 2027年6月30日"):
        assert words in desk.words
    await desk.get(f"/studio/codes/{await group_code(road)}")
    assert 'class="qr"' in desk.reply.text
    assert "YHCY41010001" in desk.words


async def test_an_officer_whose_authority_ended_is_told_and_makes_no_poster(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await owner.execute("update identity.staff set authority_to = current_date - 1 where id = $1", LI_SI.id)
    desk = await desks.of("JX0427")
    assert "营销授权已经在" in desk.words
    await desk.get("/studio/poster")
    assert "没有能用的码" in desk.words


async def test_a_poster_is_three_taps_away_and_each_saved_one_is_written_down(
    road: Road, desks: Desks
) -> None:
    desk = await desks.of("JX0427")
    assert "/studio/poster" in desk.page.links
    await desk.get("/studio/poster")
    code = await group_code(road)
    assert f"/studio/codes/{code}/poster" in desk.page.links
    await desk.get(f"/studio/codes/{code}/poster")
    form = desk.page.form(f"/studio/codes/{code}/poster.jpg")
    saved = await desk.http.post(form.action, data=form.filled(greeting="乡亲们好"))
    assert saved.headers["content-disposition"].startswith('attachment; filename="poster-group-')
    assert Image.open(io.BytesIO(saved.content)).size == (1080, 1920)
    plain = await desk.http.get(form.action)
    assert plain.content != saved.content
    async with road.db.read(JIA) as tx:
        entries = await audit.of(tx, code)
    assert [e.action for e in entries].count("poster.saved") == 1, "looking at it writes nothing"


@pytest.mark.parametrize(
    ("greeting", "told"), [("秒批到账", "不能出现"), ("最高 20 万", "不能写数字"), ("好" * 30, "最多 24")]
)
async def test_a_greeting_that_may_not_be_said_stays_off_the_poster(
    road: Road, desks: Desks, greeting: str, told: str
) -> None:
    desk = await desks.of("JX0427")
    code = await group_code(road)
    await desk.get(f"/studio/codes/{code}/poster")
    await desk.send(desk.page.form("/poster.jpg"), greeting=greeting)
    assert desk.reply.status_code == 422
    assert told in desk.words


async def test_a_full_phone_number_costs_a_reason_and_leaves_a_row(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 606)
    number = id_number(606)
    phone = f"139{number[-8:-1]}0"
    desk = await desks.of("JX0427")
    await desk.get(f"/studio/leads/{application.application_no}")
    assert phone not in desk.reply.text
    form = desk.page.form("/phone")
    await desk.send(form, reason="")
    assert desk.reply.status_code == 422
    await desk.send(form, reason="帮客户补一张照片")
    assert f'href="tel:{phone}"' in desk.reply.text
    async with road.db.read(JIA) as tx:
        entries = await audit.of(tx, application.customer_id or "")
    assert ("customer.revealed", f"staff:{LI_SI.id}") in {(e.action, e.actor) for e in entries}


async def households(owner: asyncpg.Connection, count: int) -> None:
    """Customers of 李四 and, so that an index has to choose, as many of a colleague."""
    now = clock.now()
    rows = [
        (ids.new(), f"T{n:09d}", staff_id("4101", 1 + n % 2), now - timedelta(minutes=n // 4),
         "declined" if n % 3 else "draft")
        for n in range(count * 2)
    ]  # fmt: skip
    await owner.executemany(
        "insert into applications.applications (institution_id, id, application_no, product_code, product_version,"
        " channel, officer_id, status, created_at, updated_at)"
        " values ('4101', $1, $2, 'SXD', 'SXD@1', 'qr', $3, $5, $4, $4)", rows
    )  # fmt: skip
    await owner.execute("analyze applications.applications")


async def test_fifteen_hundred_households_page_by_page_each_once_and_none_lost(
    road: Road, owner: asyncpg.Connection
) -> None:
    await households(owner, HOUSEHOLDS)
    seen: list[str] = []
    async with road.db.read(LI_SI) as tx:
        key, pages = None, 0
        while pages == 0 or key is not None:
            page = await officer_day.page(tx, "", key)
            seen += [line.application_no for line in page.lines]
            key, pages = page.next_key, pages + 1
    assert (len(seen), len(set(seen)), pages) == (HOUSEHOLDS, HOUSEHOLDS, HOUSEHOLDS // officer_day.PAGE)


async def test_any_page_of_the_list_reads_only_about_itself(
    road: Road, owner: asyncpg.Connection, database_dsn: str
) -> None:
    """By the plan, not by the clock: the index gives the order, and the rows before the page are not read."""
    await households(owner, HOUSEHOLDS)
    async with road.db.read(LI_SI) as tx:
        first = await officer_day.page(tx, "", None)
        deep = first
        for _ in range(40):
            deep = await officer_day.page(tx, "", deep.next_key)
        for key in (None, first.next_key, deep.next_key):
            before_at, before_id = key or (None, None)
            statement = f"explain (analyze, format json) {Q.officer_cases.sql}"
            values = {"institution_id": "4101", "officer_id": LI_SI.id, "statuses": list(APPLICATION.labels),
                      "before_at": before_at, "before_id": before_id, "most": officer_day.PAGE + 1}  # fmt: skip
            given = [values[name] for name in Q.officer_cases.parameters]
            [[plan]] = await tx.connection.fetch(statement, *given)
            nodes = _nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
            assert {node["Node Type"] for node in nodes} <= {"Limit", "Index Scan", "Result"}
            scan = next(node for node in nodes if node["Node Type"] == "Index Scan")
            assert scan["Index Name"] == "officers_cases"
            assert scan["Actual Rows"] <= officer_day.PAGE + 1
            assert scan.get("Rows Removed by Filter", 0) == 0


def _nodes(plan: dict) -> list[dict]:  # type: ignore[type-arg]
    return [plan, *(n for below in plan.get("Plans", []) for n in _nodes(below))]


async def test_the_list_is_filtered_paged_by_links_and_survives_a_made_up_place(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await households(owner, 50)
    desk = await desks.of("JX0427")
    await desk.get("/studio/leads?group=ended")
    more = next(each for each in desk.page.links if "after=" in each)
    await desk.get(more)
    assert desk.reply.status_code == 200
    assert "填写中" not in desk.words
    for place in ("x", "%E5%BC%A0", "MjAyNi0xMS0yNlQwMDowMDowMHx4", "=" * 400):
        assert (await desk.http.get(f"/studio/leads?after={place}")).status_code == 200
    assert (await desk.http.get("/studio/leads?group=nothing")).status_code == 200


async def test_who_was_promised_this_officer_is_on_the_list_called_and_answered_once(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    path = f"/studio/calls/{made.call}"
    desk = await desks.of("JX0427")
    assert "利息怎么算" in desk.words
    assert path in desk.page.links
    await desk.get(path)
    await desk.send(desk.page.form("/phone"), reason="客户找人工")
    assert 'href="tel:139' in desk.reply.text
    async with road.db.read(JIA) as tx:
        entries = await audit.of(tx, made.application.customer_id or "")
    assert ("customer.revealed", f"staff:{LI_SI.id}") in {(e.action, e.actor) for e in entries}
    form = desk.page.form(path)
    await desk.send(form, answer="好")
    assert desk.reply.status_code == 422
    for _ in range(2):
        await desk.send(form, answer="打过电话，讲清了利息")
        assert desk.reply.status_code == 200
    await desk.send(anew(form), answer="换一种说法")
    assert desk.reply.status_code == 409
    await desk.get("/studio")
    assert path not in desk.page.links
    colleague = await desks.of("JX0428")
    assert (await colleague.http.get(path)).status_code == 404
    assert (await desk.http.get(f"/studio/calls/{made.ticket}")).status_code == 404, (
        "a complaint may be about me"
    )
