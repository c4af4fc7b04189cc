"""The picture on the case page, the findings and the lists, as staff see them (N9, A6-01, A7-05)."""

import re
from datetime import timedelta

import asyncpg

from backend.core import clock, ids
from backend.core.actor import Actor
from backend.domains.customers import service as customers
from backend.domains.relations import lists
from backend.domains.relations import service as relations
from backend.flows import look_over_relations
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desk, Desks
from tests.h5.scene import referred


async def beside(road: Road, owner: asyncpg.Connection, count: int) -> str:
    """A referred case whose account is also the account of others; the case's number."""
    application = await referred(road, owner, "4101", 601)
    others = [await road.draft(id_number(610 + n)) for n in range(count)]
    for draft in others:
        await road.submit(draft)
    async with road.db.begin(JIA) as tx:
        for each in (application, *others):
            await relations.connect(
                tx, str(each.customer_id), "payee", "6212", source="draw", application_id=each.id
            )
    return application.application_no


async def test_the_picture_tells_the_same_in_lines_and_in_words_and_nobodys_number(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    number = await beside(road, owner, 3)
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{number}")
    text = desk.reply.text
    assert '<svg class="web"' in text
    assert all(f"第 {n} 户" in text for n in (1, 2, 3))
    for words in (
        "垒大户",
        "要核实",
        "收款账户：和另外 3 人（3 户）共用",
        "相关申请：尾号",
        "4 人、4 户",
        "张*",
    ):
        assert words in desk.words, words
    assert "张三" not in text
    assert id_number(610) not in text
    assert "6212" not in re.sub(r"[0-9a-f-]{36}", "", text), "an id may hold these digits by chance"
    again = await desk.get(f"/console/cases/{number}")
    drawing = re.compile(r'<svg class="web".*?</svg>', re.S)
    assert drawing.findall(again.text) == drawing.findall(text), "the same graph is the same picture"
    assert 'style="' not in drawing.findall(text)[0], "the page's rules allow no style of its own"


async def test_who_need_not_know_sees_no_picture(road: Road, desks: Desks, owner: asyncpg.Connection) -> None:
    number = await beside(road, owner, 1)
    desk = await desks.of("JX0101")
    await desk.get(f"/console/cases/{number}")
    assert desk.reply.status_code == 200
    assert "关系按现在的记录" not in desk.words
    assert 'class="web"' not in desk.reply.text


async def test_other_institutions_are_a_figure_only(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    number = await beside(road, owner, 0)
    async with road.db.begin(JIA.within("4102")) as tx:
        for n in range(2):
            await relations.connect(
                tx, f"00000000-0000-4000-8000-00000000000{n}", "payee", "6212", source="draw"
            )
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{number}")
    assert "收款账户：其他 1 家机构，2 人" in desk.words
    assert "乙县" not in desk.words


async def test_a_phone_lent_to_many_leads_to_a_person_with_the_reason(road: Road) -> None:
    """End to end: four households handed in from one WeChat account within the week."""
    found = []
    for n in range(4):
        number = id_number(620 + n)
        await road.person(number, preset="good", phone="match")
        draft = await road.draft(number)
        async with road.db.begin(JIA) as tx:
            await tx.connection.execute(
                "update applications.applications set openid = 'oBroker' where id = $1", draft.id
            )
        await road.submit(draft)
        await road.drain()
        found.append(await road.see(draft))
    assert [each.status for each in found[:2]] == ["approved", "approved"]
    assert found[3].status == "referred"


async def test_the_nights_findings_are_taken_answered_and_counted(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    number = await beside(road, owner, 3)
    assert await look_over_relations.look_over(road.context, JIA) == 0
    desk = await desks.of("JX0301")
    await desk.get("/console/relations")
    assert "垒大户" in desk.words
    assert "收款账户：4 人、4 户" in desk.words
    assert f"/console/cases/{number}" in desk.page.links or "看关系图" in desk.words
    finding = str(await owner.fetchval("select id from relations.findings"))
    await desk.send(desk.page.form(f"/console/relations/{finding}/take"))
    answer = desk.page.form(f"/console/relations/{finding}/answer")
    await desk.send(answer, outcome="false_alarm", said="是")
    assert desk.reply.status_code == 422
    assert "请写明核查的情况" in desk.words
    await desk.send(answer, outcome="false_alarm", said="上门看过，是县里的农资公司")
    assert desk.reply.status_code == 200
    assert "误报" in desk.words
    assert "上门看过，是县里的农资公司" in desk.words
    assert await look_over_relations.look_over(road.context, JIA) == 0
    assert await owner.fetchval("select count(*) from relations.findings") == 1


async def test_a_list_needs_a_second_person_at_the_page_too(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    first, second = await desks.of("JX0301"), await desks.of("JX0101")
    until = (clock.today() + timedelta(days=30)).isoformat()
    await first.get("/console/lists")
    form = first.page.form("/console/lists")
    given = {
        "list": "watch",
        "kind": "phone",
        "text": "13912345678",
        "reason": "多次替人申请",
        "source": "客户举报",
    }
    await first.send(form, **given, expires_on="2020-01-01")
    assert first.reply.status_code == 422
    assert "不能早于今天" in first.words
    await first.send(first.page.form("/console/lists"), **given, expires_on=until)
    assert "139****5678" in first.words
    assert "13912345678" not in first.reply.text
    assert "是您提的" in first.words
    entry = str(await owner.fetchval("select id from relations.list_entries"))
    own = await first.http.post(
        f"/console/lists/4101/{entry}/check",
        data={"csrf_token": token(first), "form_key": ids.new(), "outcome": "agree"},
    )
    assert own.status_code == 409
    await second.get("/console/lists")
    await second.send(second.page.form(f"/console/lists/4101/{entry}/check"), outcome="agree")
    assert "生效" in second.words
    stale = second.page.form(f"/console/lists/4101/{entry}/end")
    await second.send(stale, reason="查清不是他")
    assert "要撤下：查清不是他。另一个人同意以前照样有效" in second.words
    alone = {"csrf_token": token(second), "form_key": ids.new(), "outcome": "end"}
    own = await second.http.post(f"/console/lists/4101/{entry}/check", data=alone)
    assert own.status_code == 409, "who asks does not agree"
    late = {"csrf_token": token(first), "form_key": ids.new(), "outcome": "agree"}
    reply = await first.http.post(f"/console/lists/4101/{entry}/check", data=late)
    assert reply.status_code == 409, "a page of before answers another question"
    await first.get("/console/lists")
    await first.send(first.page.form(f"/console/lists/4101/{entry}/check"), outcome="end")
    assert "已撤下" in first.words
    actions = {row["action"] for row in await owner.fetch("select action from audit.entries")}
    assert {"list.proposed", "list.active", "list.end_asked", "list.ended"} <= actions


def token(desk: Desk) -> str:
    return next(form.values["csrf_token"] for form in desk.page.forms if "csrf_token" in form.values)


async def test_the_page_tells_what_lists_say_and_whose_list_it_is(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    number = await beside(road, owner, 0)
    me, until = id_number(601), clock.today()
    for institution, name, kind, text in (
        ("0000", "block", "id_number", me), ("4101", "watch", "payee", "6212"), ("4102", "watch", "id_number", me),
    ):  # fmt: skip
        for who in ("one", "two"):
            async with road.db.begin(Actor("staff", who, institution)) as tx:
                if who == "one":
                    entry = await lists.propose(
                        tx,
                        list_name=name,
                        kind=kind,
                        text=text,
                        reason="冒名申请",
                        source="协查函",
                        expires_on=until,
                    )
                else:
                    await lists.approve(tx, entry)
    desk = await desks.of("JX0201")
    await desk.get(f"/console/cases/{number}")
    assert "黑名单 身份证号在省联社的名单上" in desk.words
    assert "关注名单 收款账户在本行的名单上" in desk.words
    assert desk.words.count("在本行的名单上") == 1, "another county's list is none of ours"


async def test_old_edges_and_counts_go_by_the_dated_rule(road: Road, owner: asyncpg.Connection) -> None:
    """D3-08: 730 days after it was last seen an edge is gone, and who hung by it hangs no more."""
    await beside(road, owner, 2)
    with clock.at(clock.now() + timedelta(days=729)):
        assert await look_over_relations.look_over(road.context, JIA) == 0
        assert await owner.fetchval("select count(*) from relations.edges") > 0
        assert await owner.fetchval("select count(*) from relations.sightings") == 0
    with clock.at(clock.now() + timedelta(days=731)):
        assert await look_over_relations.look_over(road.context, JIA) == 0
    for table in ("edges", "nodes", "members"):
        assert await owner.fetchval(f"select count(*) from relations.{table}") == 0
    aged, differing = await owner.fetchrow("select sum(aged), sum(differing) from relations.runs")
    assert aged > 0
    assert differing == 0


async def test_the_night_comes_once_a_day(road: Road) -> None:
    noon = clock.now().replace(hour=4, minute=0)
    with clock.at(noon):
        assert await look_over_relations.look_over_relations(road.context) == 3
        assert await look_over_relations.look_over_relations(road.context) == 0
    with clock.at(noon + timedelta(days=1)):
        assert await look_over_relations.look_over_relations(road.context) == 3


async def test_drawn_money_draws_its_edge(road: Road, owner: asyncpg.Connection) -> None:
    number = id_number(640)
    application = await road.hand_off(await road.apply(number))
    await road.bank(application, "open", number)
    await road.bank(application, "sign", number)
    await road.bank(application, "draw", number, amount_fen=500_000)
    await road.settle()
    rows = await owner.fetch("select role, source from relations.edges where kind = 'payee'")
    assert [tuple(row) for row in rows] == [("own", "draw")]
    async with road.db.read(JIA) as tx:
        person = await customers.get(tx, str(application.customer_id))
        around = await relations.neighbourhood(tx, person.id)
    assert {link.kind for link in around.links} >= {"address", "openid", "phone", "payee"}


async def test_what_i_have_in_hand_is_not_buried_under_what_the_nights_find(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await beside(road, owner, 3)
    await look_over_relations.look_over(road.context, JIA)  # whatever the hour
    desk = await desks.of("JX0301")
    await desk.get("/console/relations")
    take = next(form for form in desk.page.forms if form.action.endswith("/take"))
    await desk.send(take)
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        await owner.execute(
            "insert into relations.findings (institution_id, id, code, kind, key, customer_id, customers, households,"
            " since, raised_at) select institution_id, gen_random_uuid(), code, kind,"
            " key || convert_to(n::text, 'utf8'), customer_id, customers, households, since, raised_at"
            " from relations.findings, generate_series(1, 250) n limit 250"
        )
    await desk.get("/console/relations")
    assert "这里是前 100 条" in desk.words
    assert desk.page.form(take.action.replace("/take", "/answer")), "mine stands first"
    await desk.get("/console")
    waiting = await owner.fetchval("select count(*) from relations.findings where institution_id = '4101'")
    assert f"{waiting} 条关系疑点等您查" in desk.words
