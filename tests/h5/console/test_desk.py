"""The desk beside the cases: tickets, reports, codes, what was not delivered, support, the menu (A7-05, A11-04)."""

import re
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.core import clock, ids
from backend.core.actor import system
from backend.demo import staff_id
from backend.domains.audit import service as audit
from backend.domains.channels import notices, tickets
from backend.domains.models import line_ups
from backend.jobs.handlers import HANDLERS
from backend.outbox import effects
from h5.console import dead_letters
from h5.console.dead_letters import KINDS
from tests.domains.models import test_register as models
from tests.flows import test_challenge_collection as collection
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desks, anew
from tests.h5.console import test_strategies as pages
from tests.h5.scene import dead_letter, referred, scene


async def test_a_dead_letter_is_sent_again_once_with_a_reason_and_a_fresh_proof(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    dead = await dead_letter(road, "4101")
    start = clock.now()
    desk = await desks.of("JX0301")
    assert "没送到" in desk.words
    with clock.at(start + timedelta(minutes=6)):
        await desk.get("/console/dead-letters")
        token = desk.page.form("/staff/confirm").values["csrf_token"]
        path = f"/console/dead-letters/4101/{dead}"
        stale = await desk.http.post(
            path, data={"csrf_token": token, "form_key": ids.new(), "reason": "对方恢复了"}
        )
        assert stale.status_code == 403
        assert await owner.fetchval("select status from outbox.effects where id = $1", dead) == "dead"
        await desk.confirm()
        await desk.send(desk.page.form(path), reason="")
        assert desk.reply.status_code == 422
        await desk.send(desk.page.form(path), reason="对方恢复了")
        assert "已经排上" in desk.words
        again = await desk.http.post(
            path, data={"csrf_token": token, "form_key": ids.new(), "reason": "对方恢复了"}
        )
        assert again.status_code == 404
    assert await owner.fetchval("select status from outbox.effects where id = $1", dead) == "waiting"
    async with road.db.read(system("4101", "test")) as tx:
        [entry] = [e for e in await audit.of(tx, dead) if e.action == "effect.revived"]
    assert "对方恢复了" in entry.details


async def test_who_answers_a_ticket_calls_with_a_reason_that_leaves_a_row(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """The county's admin is told to phone, so the number is there to phone (D3-15); not for who only reads."""
    made = await scene(road, owner)
    path, number = f"/console/tickets/4101/{made.call}", id_number(301)
    phone = f"139{number[-8:-1]}0"
    desk = await desks.of("JX0101")
    await desk.get(path)
    assert phone not in desk.reply.text
    form = desk.page.form(f"{path}/phone")
    await desk.send(form, reason="")
    assert (desk.reply.status_code, phone in desk.reply.text) == (422, False)
    await desk.send(form, reason="答复客户找人工")
    assert (desk.reply.status_code, f'href="tel:{phone}"' in desk.reply.text) == (200, True)
    async with road.db.read(JIA) as tx:
        entries = await audit.of(tx, made.application.customer_id or "")
    [row] = [each for each in entries if each.action == "customer.revealed"]
    assert row.actor == f"staff:{staff_id('4101', 3)}"
    assert "答复客户找人工" in row.details
    for reader in ("JX0401", "SL0001"):
        other = await desks.of(reader)
        await other.get(path)
        assert f"{path}/phone" not in other.reply.text, reader
    await desk.get(f"/console/tickets/4101/{made.ticket}")
    assert "还不知道是谁，没有手机号" in desk.words
    await desk.get(path)
    await desk.send(desk.page.form(path), answer="打过电话，讲清了利息")
    await desk.send(anew(form), reason="答复客户找人工")
    assert ("已答复" in desk.words, phone in desk.reply.text) == (True, False)


async def test_a_ticket_and_a_report_are_answered_once(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    desk = await desks.of("JX0101")
    for words in ("投诉", "等了三天没人理我", "有人向我收费：有人要 200 元"):
        assert words in desk.words
    for path in (f"/console/tickets/4101/{made.ticket}", f"/console/reports/4101/{made.report}"):
        await desk.get(path)
        form = desk.page.form(path)
        await desk.send(form, answer="好")
        assert desk.reply.status_code == 422
        for _ in range(2):
            await desk.send(form, answer="打过电话，已经说明白了")
            assert desk.reply.status_code == 200
        assert "打过电话" in desk.words
        await desk.send(anew(form), answer="换一种说法再答一次")
        assert desk.reply.status_code == 409
    await desk.get("/console")
    assert "等了三天" not in desk.words
    secrets = await owner.fetchval("select string_agg(t::text, '') from campaigns.reports t")
    assert "打过电话".encode().hex() not in secrets


async def test_an_answer_is_sent_and_its_page_says_how_or_is_only_kept_when_it_was_told(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    desk = await desks.of("JX0101")
    path = f"/console/tickets/4101/{made.call}"
    await desk.get(path)
    await desk.send(desk.page.form(path), answer="利息按天算，提前还不另收费", way="send")
    assert "正在送给客户" in desk.words
    await road.drain()
    await desk.get(path)
    assert "用短信送到" in desk.words
    assert "客服消息 客户 48 小时里没有说过话，不能发" in desk.words
    assert "订阅通知 客户没有留着的订阅" in desk.words
    path = f"/console/tickets/4101/{made.ticket}"
    await desk.get(path)
    await desk.send(desk.page.form(path), answer="当面说清楚了，客户没有意见", way="told")
    assert "没有再发" in desk.words
    await road.drain()
    async with road.db.read(JIA) as tx:
        assert await notices.of_case(tx, made.ticket) == []
        assert len(await notices.of_case(tx, made.call)) == 1


async def test_one_revoke_reaches_every_copy_of_a_code(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    assert (await road.web.get(f"/q/{made.token}")).status_code == 200
    desk = await desks.of("JX0101")
    await desk.get("/console/officers")
    assert "李四 JX0427" in desk.words
    await desk.get(f"/console/officers/4101/{made.officer}")
    form = desk.page.form(f"/console/codes/{made.code}/revoke")
    await desk.send(form, reason="")
    assert desk.reply.status_code == 422
    await desk.send(anew(form), reason="海报被人改过")
    assert "已作废" in desk.words
    with clock.at(clock.now() + timedelta(seconds=1)):
        assert (await road.web.get(f"/q/{made.token}")).status_code == 410, "within a second"
    officer = await desks.of("JX0427")
    await officer.get(f"/studio/codes/{made.code}")
    assert "海报被人改过" in officer.words
    assert '<svg class="qr"' not in officer.reply.text
    assert (await officer.get(f"/studio/codes/{made.code}/poster")).status_code == 409
    assert (await officer.get(f"/studio/codes/{made.code}/poster.jpg")).status_code == 409


async def test_the_support_desk_finds_its_own_masked_and_leaves_a_row(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    desk = await desks.of("JX0101")
    await desk.get("/console/support")
    await desk.send(desk.page.form("/console/support"), what=made.number)
    assert "人工审查中" in desk.words
    assert "张三" not in desk.reply.text
    assert id_number(301) not in desk.reply.text
    async with road.db.read(JIA) as tx:
        entries = await audit.of(tx, made.number)
    assert ("support.inspect", f"staff:{staff_id('4101', 3)}") in {(e.action, e.actor) for e in entries}
    await desk.send(desk.page.form("/console/support"), what="oNobody12345678")
    assert desk.reply.status_code == 404
    assert "oNobody12345678" not in desk.reply.text, "an account id does not come back in the page"


async def test_head_office_sees_every_county_and_decides_nothing(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await scene(road, owner, "4102", 505)
    desk = await desks.of("SL0001")
    assert "乙县农商银行" in desk.words
    await desk.get("/console/counties/4102")
    assert "只能看" in desk.words
    number = next(each for each in desk.page.links if each.startswith("/console/cases/"))
    await desk.get(number)
    assert desk.reply.status_code == 200
    assert "您的意见" not in desk.words
    await desk.get("/console/dead-letters?in=4102")
    assert "再送一次" in desk.words, "an act that is head office's own"


async def test_the_menu_shows_the_eight_groups_and_says_what_is_not_open(desks: Desks) -> None:
    desk = await desks.of("JX0101")
    shut = ("渠道接入", "产品工厂", "合同管理")
    for group in shut:
        assert f"{group} 未开通" in desk.words
    for group in ("快贷客户管理", "决策流配置", "营销管理", "业务监控"):
        assert group in desk.words
        assert f"{group} 未开通" not in desk.words


async def test_every_item_of_the_menu_opens_for_whoever_is_shown_it(desks: Desks) -> None:
    for staff_no in ("JX0101", "JX0201", "JX0301", "JX0401", "SL0001", "SL0002", "SL0003", "JX0427"):
        desk = await desks.of(staff_no)
        for link in {each for each in desk.page.links if each.startswith(("/console", "/studio"))}:
            assert (await desk.http.get(link)).status_code == 200, f"{staff_no} {link}"


async def test_what_came_through_no_county_waits_at_head_office_and_is_answered_there(
    road: Road, desks: Desks
) -> None:
    async with road.db.begin(system("0000", "test")) as tx:
        lost = await tickets.open(tx, kind="complaint", text="扫码扫不开", openid="oStranger")
    async with road.db.begin(JIA) as tx:
        county = await tickets.open(tx, kind="complaint", text="等了三天", openid="oKnown")
    desk = await desks.of("SL0001")
    assert "省联社 0 0 1 0 0 没有超时" in desk.words
    await desk.get("/console/counties/0000")
    path = f"/console/tickets/0000/{lost.ticket_no}"
    assert path in desk.page.links
    await desk.get(path)
    form = desk.page.form(path)
    await desk.send(form, answer="打过电话，教他换个角度扫")
    assert desk.reply.status_code == 200
    assert "已答复" in desk.words
    await desk.get("/console/counties/4101")
    foreign = f"/console/tickets/4101/{county.ticket_no}"
    assert foreign in desk.page.links
    await desk.get(foreign)
    assert "由本行管理员答复" in desk.words
    await desk.send(msgspec.structs.replace(form, action=foreign), answer="替县里答一次")
    assert desk.reply.status_code == 422


async def test_a_wish_to_be_forgotten_waits_at_the_countys_desk_with_its_own_name(
    road: Road, desks: Desks
) -> None:
    async with road.db.begin(JIA) as tx:
        wish = await tickets.open(tx, kind="erasure", text="删除我的信息", openid="oKnown")
    desk = await desks.of("JX0101")
    await desk.get("/console")
    path = f"/console/tickets/4101/{wish.ticket_no}"
    assert "客户要删信息" in desk.words
    assert path in desk.page.links
    await desk.get(path)
    assert f"客户要删信息 {wish.ticket_no}" in desk.words
    await desk.send(desk.page.form(path), answer="核对过是本人，没有办成的申请已删")
    assert "已答复" in desk.words


async def test_a_strategy_waits_on_the_desk_of_who_may_approve_it(road: Road, desks: Desks) -> None:
    for writer, second, reader in (("JX0101", "JX0301", "JX0201"), ("SL0001", "SL0002", "SL0003")):
        maker = await desks.of(writer)
        base = await pages.draft(maker)
        await pages.new_row(maker, base, **{**pages.OWN, "近 6 个月贷款查询": "不低于 8"})
        await pages.act(maker, "check")
        await pages.act(maker, "submit")
        for staff_no, waits in ((second, True), (writer, False), (reader, False)):
            desk = await desks.of(staff_no)
            await desk.get("/console")
            assert ("1 份策略等您批" in desk.words) is waits, staff_no


async def waiting_of(desks: Desks, staff_no: str) -> dict[str, str]:
    """What a desk says waits for this person, by address."""
    desk = await desks.of(staff_no)
    await desk.get("/console")
    panel = desk.reply.text.partition('aria-label="等我看的"')[2].partition("</section>")[0]
    return dict(re.findall(r'href="([^"]+)"><p><b>([^<]+)</b>', panel))


async def test_a_list_waits_on_the_desk_of_who_may_be_the_second_person(road: Road, desks: Desks) -> None:
    writer = await desks.of("JX0301")
    until = (clock.today() + timedelta(days=9)).isoformat()
    await writer.get("/console/lists")
    entry = {
        "list": "watch",
        "kind": "phone",
        "text": "13900000000",
        "reason": "冒名申请",
        "source": "举报信",
    }
    await writer.send(writer.page.form("/console/lists"), **entry, expires_on=until)
    path = "/console/lists?in=4101"
    assert await waiting_of(desks, "JX0101") == {path: "1 条名单等您看"}
    assert "现在没有等您办的" not in (await desks.of("JX0101")).words
    assert (await waiting_of(desks, "SL0001"))[path] == "1 条名单等您看（甲县农商银行）"
    for other in ("JX0301", "JX0201", "YX0101"):
        assert path not in await waiting_of(desks, other), other


async def test_models_and_their_line_up_wait_on_the_desk_of_who_may_act(road: Road, desks: Desks) -> None:
    live = await models.brought_live(road.db)
    await models.registered(road.db, family="business")
    await models.act(
        road.db, models.MAKER, line_ups.propose, "consumer", champion=live.id, why="影子看了一个月"
    )
    assert (await waiting_of(desks, "SL0002"))["/console/models"] == "1 个模型等您办"
    assert "/console/models" not in await waiting_of(desks, "SL0003")
    office = await waiting_of(desks, "SL0001")
    assert office["/console/models/line-up"] == "1 个换主模型的提议等您看"
    assert "/console/models/line-up" not in await waiting_of(desks, "SL0002")
    assert not [path for path in await waiting_of(desks, "JX0301") if path.startswith("/console/models")]


async def test_a_collection_trial_waits_on_the_desk_of_the_second_person(road: Road, desks: Desks) -> None:
    made = await collection.version(road, plan_7=collection.CALL)
    maker = await desks.of("SL0002")
    await maker.get("/console/collection-trials")
    form = maker.page.form("/console/collection-trials")
    await maker.send(form, version=made.id, share="20", why="早点打电话好不好")
    told = "1 个催收策略试用等您看"
    assert (await waiting_of(desks, "SL0001"))["/console/collection-trials"] == told
    assert "/console/collection-trials" not in await waiting_of(desks, "SL0002")


async def test_a_scenario_to_be_stopped_waits_on_the_desk_of_the_second_person(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("JX0101")
    await pages.new_row(desk, await pages.draft(desk), **pages.OWN)
    base = desk.path
    await desk.get(f"{base}/try")
    form = next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")
    form.action = f"{base}/scenario"
    await desk.send(form, name="查询六次的养殖户", outcome="approved")
    assert not await waiting_of(desks, "JX0301")
    await desk.get("/console/strategies/scenarios")
    stop = next(f for f in desk.page.forms if f.action.endswith("/scenarios") and f.method == "post")
    await desk.send(stop, why="和新的规则对不上")
    [(path, told)] = (await waiting_of(desks, "JX0301")).items()
    assert told == "1 个场景等您同意停用"
    second = await desks.of("JX0301")
    await second.get(path)
    assert [f for f in second.page.forms if f.values.get("act") == "agree"], "the link leads to the button"
    for other in ("JX0101", "JX0201", "YX0101", "SL0001"):
        assert not [each for each in await waiting_of(desks, other) if "scenarios" in each], other


@pytest.mark.parametrize(
    ("path", "home"),
    [("/console/nowhere", "/console"), ("/console/cases", "/console"), ("/studio/nowhere", "/studio")],
)
async def test_an_address_without_a_page_is_said_in_the_staff_frame_with_a_way_back(
    road: Road, desks: Desks, path: str, home: str
) -> None:
    desk = await desks.of("JX0201")
    await desk.get(path)
    assert desk.reply.status_code == 404
    assert "没有找到这一页" in desk.words
    assert "从菜单里找" in desk.words
    assert "重新扫码" not in desk.words, "that is for customers"
    assert home in desk.page.links
    reply = await desk.http.get(path, headers={"Accept": "application/json"})
    assert reply.json()["error"] == "http_404"


def test_every_kind_of_effect_has_a_name_people_read() -> None:
    assert set(HANDLERS) == set(KINDS), (
        "every handler of backend/jobs has a name in h5/console/dead_letters.py KINDS"
    )


async def test_a_dead_letter_says_whose_it_is_and_why_without_codes(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 561)
    async with road.db.begin(JIA) as tx:
        await effects.add(tx, kind="notify.status", case_id=application.id, payload={}, key="dead")
    await road.drain()
    desk = await desks.of("JX0301")
    for error, words in (
        ("outside_refused 409 line_closed", "对方系统没有受理"),
        ("KeyError", "请告诉技术人员"),
        ("core_banking_unavailable", "都连不上对方系统"),
    ):
        async with owner.transaction():
            await owner.execute("set local session_replication_role = replica")
            await owner.execute(
                "update outbox.effects set status = 'dead', last_error = $1 where key = 'dead'", error
            )
        await desk.get("/console/dead-letters")
        assert words in desk.words
        assert error.split()[0] not in desk.words
        assert f"/console/cases/{application.application_no}" in desk.page.links


async def test_dead_letters_are_counted_whole_and_turned_by_pages(
    road: Road, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "PAGE", 1)
    made = [await dead_letter(road, "4101", f"dead{at}") for at in range(2)]
    desk = await desks.of("JX0301")
    await desk.get("/console/dead-letters")
    assert "2 件" in desk.words
    assert [each in desk.reply.text for each in made] == [True, False]
    await desk.get(next(link for link in desk.page.links if "letters=2" in link))
    assert [each in desk.reply.text for each in made] == [False, True]
    await desk.send(desk.page.form(f"/console/dead-letters/4101/{made[1]}"), reason="")
    assert desk.reply.status_code == 422
    assert made[1] in desk.reply.text, "on the page where it was written"


async def test_alarms_held_drawdowns_and_findings_wait_on_the_desk_of_who_is_to_deal_with_them(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """An alarm that only its own page shows has an owner who does not know of it (D1-05, A7-06, A6-06, N9)."""
    made = await scene(road, owner)
    analyst, admin, reviewer = [await waiting_of(desks, each) for each in ("JX0301", "JX0101", "JX0201")]
    assert analyst["/console/monitors#alarms"] == "1 条监控提醒归您处理"
    assert analyst["/console/relations"] == admin["/console/relations"]
    assert admin["/console/relations"].endswith("条关系疑点等您查")
    assert admin["/console/post-loan"] == reviewer["/console/post-loan"] == "1 笔用款等人核实"
    assert "/console/relations" not in reviewer
    assert "/console/monitors#alarms" not in admin | reviewer | await waiting_of(desks, "YX0301")
    await owner.execute("update post_loan.warnings set due_on = due_on - 9 where id = $1", made.warning)
    assert "1 条预警过了期或没人管" in (await desks.of("JX0101")).words
    desk = await desks.of("JX0301")
    await desk.get("/console/monitors")
    await desk.send(desk.page.form(f"/alarms/{made.alarm}"), note="查过，新客户多", false_alarm="no")
    assert "/console/monitors#alarms" not in await waiting_of(desks, "JX0301")
    taken = int(analyst["/console/relations"].split()[0])
    await desk.get("/console/relations")
    await desk.send(desk.page.form(f"/console/relations/{made.finding}/take"))
    assert (await waiting_of(desks, "JX0101")).get("/console/relations", "0 ").split()[0] == str(taken - 1)
    assert (await waiting_of(desks, "JX0301"))["/console/relations"].split()[0] == str(taken)
