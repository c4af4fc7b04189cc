"""审计记录: read by person, kind, case and time; a broken chain shows; reading is a row itself (16.4.2)."""

import re
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.core import clock, ids
from backend.core.actor import system
from backend.demo import staff_id
from backend.domains.audit import service as audit
from backend.domains.audit.service import Filter
from backend.flows import read_audit_trail
from h5.console import audit_words
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desk, Desks
from tests.h5.scene import scene
from tests.house.test_staff_roles import token_of

PAGE = "/console/audit"


async def read(desk: Desk, **asked: str) -> list[str]:
    """What the page lists, the newest first, as the numbers of the rows."""
    await desk.get(PAGE)
    await desk.send(next(f for f in desk.page.forms if f.action == PAGE and f.method == "post"), **asked)
    return numbers(desk)


def numbers(desk: Desk) -> list[str]:
    return re.findall(r'data-label="第几条">(\d+)<', desk.reply.text)


async def test_an_auditor_reads_by_case_person_kind_and_day(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    desk = await desks.of("JX0401")
    await desk.get(PAGE)
    assert numbers(desk) == [], "nothing is shown before it is asked for and written down"
    assert await read(desk, case=made.number)
    for words in ("提交申请", "转人工审查", "退回客户经理核实", "每一条都和前一条对得上"):
        assert words in desk.words
    assert f"/console/cases/{made.number}" in desk.page.links
    for secret in ("张三", id_number(301)):
        assert secret not in desk.reply.text
    everything = await read(desk)
    by_reviewer = await read(desk, person=staff_id("4101", 4))
    assert 0 < len(by_reviewer) < len(everything)
    assert "陈审 JX0201" in desk.words
    assert await read(desk, person="customer", kind="ticket") == []
    assert await read(desk, kind="ticket")
    today = clock.today()
    assert await read(desk, kind="ticket", since=today.isoformat(), until=today.isoformat())
    assert await read(desk, until=(today - timedelta(days=1)).isoformat()) == []
    assert "没有这样的记录" in desk.words


async def test_reading_and_verifying_are_rows_of_the_chain_themselves(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    desk = await desks.of("JX0401")
    await read(desk, case=made.number)
    await desk.get(PAGE)
    await desk.send(desk.page.form(f"{PAGE}/verify"))
    assert "都对得上" in desk.words
    async with road.db.read(JIA) as tx:
        [row] = [e for e in await audit.of(tx, made.number) if e.action == "audit.read"]
        walked = [e for e in await audit.of(tx, "audit") if e.action == "audit.verified"]
    assert row.actor == f"staff:{staff_id('4101', 7)}"
    assert msgspec.json.decode(row.details)["count"] > 0
    assert len(walked) == 1
    assert await read(desk, kind="audit")
    assert "看了审计记录" in desk.words


async def test_pages_follow_each_other_by_key_while_the_chain_grows(
    road: Road, desks: Desks, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene(road, owner)
    monkeypatch.setattr(read_audit_trail, "PAGE", 7)
    async with road.db.read(JIA) as tx:
        wanted = [str(e.seq) for e in await audit.trail(tx, Filter(kind="application"), None, 500)]
    desk = await desks.of("JX0401")
    seen = await read(desk, kind="application")
    while more := [f for f in desk.page.forms if f.values.get("before")]:
        assert len(numbers(desk)) == 7
        await desk.send(more[0])
        seen += numbers(desk)
    assert seen == wanted, "nothing twice, nothing left out, though each page adds a row"


async def test_an_altered_row_shows_on_its_page_and_in_the_whole_chain(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    async with road.db.read(JIA) as tx:
        seq = (await audit.of(tx, made.number))[-1].seq
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        await owner.execute(
            "update audit.entries set actor = 'system:x' where institution_id = '4101' and seq = $1", seq
        )
    desk = await desks.of("JX0401")
    await read(desk, case=made.number)
    assert f"第 {seq} 条和前一条对不上" in desk.words
    await desk.get(PAGE)
    await desk.send(desk.page.form(f"{PAGE}/verify"))
    assert f"链断了：第 {seq} 条" in desk.words


async def test_what_was_cut_off_or_added_at_the_end_is_found(road: Road, owner: asyncpg.Connection) -> None:
    async with road.db.begin(JIA) as tx:
        audit.add(tx, "keys.rotated", "vault")
    copy = (
        "insert into audit.entries select institution_id, seq + 1, at, actor, action, subject, details, hash "
        "from audit.entries where institution_id = '4101' order by seq desc limit 1"
    )
    cut = "delete from audit.entries where institution_id = '4101' and seq > $1"
    async with road.db.read(JIA) as tx:
        before = await audit.walk(tx, "4101")
    assert before.rows == []
    await owner.execute(copy)
    async with road.db.read(JIA) as tx:
        assert (await audit.walk(tx, "4101")).rows == [before.total + 1]
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        await owner.execute(cut, before.total - 1)
    async with road.db.read(JIA) as tx:
        assert (await audit.walk(tx, "4101")).rows == [before.total]


async def test_a_long_chain_is_walked_in_stretches(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "STRETCH", 3)
    for _ in range(4):
        async with road.db.begin(JIA) as tx:
            audit.add(tx, "keys.rotated", "vault")
            audit.add(tx, "keys.rotated", "vault")
    async with road.db.read(JIA) as tx:
        walked = await audit.walk(tx, "4101")
    assert (walked.total >= 8, walked.rows) == (True, [])


async def test_a_county_reads_its_own_chain_and_head_office_any(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    foreign = await scene(road, owner, "4102", 621)
    county, union = await desks.of("JX0401"), await desks.of("SL0003")
    token = await token_of(county)
    assert (await county.http.get(PAGE, params={"in": "4102"})).status_code == 404
    for path in (PAGE, f"{PAGE}/verify"):
        asked = {"csrf_token": token, "form_key": ids.new(), "in": "4102"}
        assert (await county.http.post(path, data=asked)).status_code == 404
    assert await read(county, case=foreign.number) == []
    await union.get(f"{PAGE}?in=4102")
    form = next(f for f in union.page.forms if f.action == PAGE and f.method == "post")
    await union.send(form, case=foreign.number)
    assert ("退回客户经理核实" in union.words, union.reply.status_code) == (True, 200)
    async with road.db.read(system("4102", "test")) as tx:
        assert [e for e in await audit.of(tx, foreign.number) if e.action == "audit.read"]


async def test_what_cannot_be_asked_is_said_beside_its_field(desks: Desks) -> None:
    desk = await desks.of("JX0401")
    for field, value, words in (
        ("since", "昨天", "请写成 2026-11-26 这样的日期"),
        ("kind", "nothing", "请从列出的种类里选"),
        ("person", "somebody", "请从列出的人里选"),
        ("before", "-1", "这一页接不上"),
    ):
        await desk.get(PAGE)
        form = next(f for f in desk.page.forms if f.action == PAGE and f.method == "post")
        await desk.http.get(PAGE)
        await desk._arrive(await desk.http.post(PAGE, data={**form.values, field: value}))
        assert (desk.reply.status_code, words in desk.words) == (422, True), field


async def test_every_act_of_a_day_has_chinese_words(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await scene(road, owner)
    rows = await owner.fetch("select distinct action from audit.entries")
    assert len(rows) > 20
    unnamed = [r["action"] for r in rows if audit_words.kind_of(r["action"]) == "其他"]
    assert unnamed == []
    for action in (*audit_words.WORDS, *(r["action"] for r in rows), "unheard.of"):
        assert not re.search("[A-Za-z_]", audit_words.word(action)), action


async def test_details_are_in_words_and_ids_whole(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    desk = await desks.of("JX0401")
    await read(desk, kind="list")
    assert "名单：关注名单" in desk.words
    assert made.entry in desk.words
    await read(desk, kind="decision")
    recorded = await owner.fetchrow(
        "select id, application_id from decision.decisions where institution_id = '4101' limit 1"
    )
    assert f"申请：{recorded['application_id']}" in desk.words
    assert str(recorded["id"]) in desk.words
    assert "第几次审批：1" in desk.words
    assert "…" not in desk.reply.text.partition("查到的")[2]


def test_a_detail_is_words_or_whole_or_left_out() -> None:
    for key, value, told in (
        ("triggers", ["sample", "near_cap"], ("为什么抽到", "随机抽到、额度接近上限")),
        ("reasons", ["LIMIT_INCOME", "SYS"], ("理由代码", "LIMIT_INCOME、SYS")),
        ("masked", False, ("遮挡", "否")),
        ("head", "ab" * 32, ("存证链头", "ab" * 32)),
        ("stage", "pricing", ("环节", "定价")),
        ("channel", "wechat_internal", None),
        ("token", "x", None),
    ):
        assert audit_words.detail(key, value) == told, key
