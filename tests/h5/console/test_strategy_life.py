"""Going back to an older version, and going live on a day, on the pages; every page without a script (A3-34)."""

import re
from datetime import timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.domains.decision.model import Stage
from backend.domains.strategies import service
from backend.domains.strategies.model import UnionContent
from backend.flows import put_strategies_live
from backend.sandbox.forms import Form
from tests.domains.strategies.conftest import ADMIN, ANALYST, Stagehand
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import HOME, OWN, act, draft, new_row
from tests.h5.console.test_strategy_compare import put_live

OF = f"{HOME}/of?product=*&stage=eligibility"


async def overlay(maker: Desk, code: str) -> None:
    """A draft with one row more, submitted."""
    base = await draft(maker, reason=f"加一行 {code}")
    await new_row(maker, base, **{**OWN, "原因码": code})


async def deciding(owner: asyncpg.Connection) -> str | None:
    return await owner.fetchval("select hash from decision.live where institution_id = '4101'")


async def test_going_back_brings_the_older_version_back_in_one_act(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    maker, second = await desks.of("JX0101"), await desks.of("JX0301")
    await maker.get(OF)
    assert "退回上一版" not in maker.words, "there is nothing to go back to"
    await overlay(maker, "A11")
    first = await put_live(maker, second)
    then = await deciding(owner)
    await overlay(maker, "A12")
    await put_live(maker, second)
    assert await deciding(owner) != then
    await second.get(OF)
    back = second.page.form("/roll-back")
    assert "上一次在用的第 2 版" in second.words, "by its number"
    await maker.get(OF)
    assert not [each for each in maker.page.forms if each.action.endswith("/roll-back")]
    assert "要由本行另一个人来退" in maker.words, "who wrote it does not loosen alone"
    alone = maker.page.form("/drafts")
    alone.action = back.action
    await maker.send(alone, reason="我写的松一些")
    assert (maker.reply.status_code, await deciding(owner) != then) == (403, True)
    await second.send(back, reason="")
    assert (second.reply.status_code, "请写一句理由" in second.words) == (422, True)
    await second.send(back, reason="新的一版太严，退回")
    assert second.path == f"{HOME}/{first}"
    assert "在用" in second.words
    assert "生效：新的一版太严，退回" in second.words, second.words
    assert await deciding(owner) == then
    assert (
        await owner.fetchval(
            "select count(*) from strategies.versions where institution_id = '4101' and status = 'live'"
        )
        == 1
    )
    union, other = await desks.of("SL0001"), await desks.of("YX0101")
    for desk, seen in ((maker, True), (union, True), (other, False)):
        await desk.get(HOME)
        assert ("新的一版太严，退回" in desk.words) is seen, (
            "a second look within the day, not by another county"
        )
    assert "甲县" in union.words
    done = "select count(*) from audit.entries where action = 'strategy.brought_back' and subject = $1"
    assert await owner.fetchval(done, first) == 1
    await second.get(f"{HOME}/{first}")
    tables, changed = second.words.split("改了什么", 1)
    assert "A12" not in tables
    assert "A12" in changed, "what going back took away is told"
    with clock.at(clock.now() + timedelta(minutes=6)):
        await maker.get(f"{HOME}/{first}")
        assert "停用这一版" not in maker.words, "without it the county is looser: not by who wrote it"
        await second.get(f"{HOME}/{first}")
        assert "停用这一版" in second.words
        assert not _retiring(second), "first the proof who it is"
        await second.confirm()
        await second.send(_retiring(second)[0], reason="先不用了")
    live = "select count(*) from strategies.versions where institution_id = '4101' and status = 'live'"
    assert await owner.fetchval(live) == 0


async def _submitted(desks: Desks) -> tuple[Desk, Desk, str]:
    """A county's overlay that waits for the second person, who has its page open; and the address of it."""
    maker, second = await desks.of("JX0101"), await desks.of("JX0301")
    await overlay(maker, "A11")
    await act(maker, "check")
    await act(maker, "submit")
    await second.get(maker.path)
    return maker, second, maker.path


def _retiring(desk: Desk) -> list[Form]:
    return [form for form in desk.page.forms if form.values.get("act") == "retire"]


async def test_an_approved_version_goes_live_on_its_day_and_not_before(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    maker, second, path = await _submitted(desks)
    for wrong in ("昨天", "2020-01-01T00:00", "2099-01-01T00:00"):
        await act(second, "approve", reason="同意", effective_from=wrong)
        assert second.reply.status_code == 422, wrong
    day = clock.local(clock.now()) + timedelta(days=3)
    await act(second, "approve", reason="同意，下周起", effective_from=f"{day:%Y-%m-%dT%H:%M}")
    assert second.reply.status_code == 200, second.words
    assert "已批准，等生效" in second.words
    assert await deciding(owner) is None
    await maker.get(HOME)
    assert "批了，还没到生效时间" in maker.words
    await put_strategies_live.put_strategies_live(road.context)
    assert await deciding(owner) is None, "its day has not come"
    with clock.at(clock.now() + timedelta(days=3, minutes=5)):
        await put_strategies_live.put_strategies_live(road.context)
    assert await deciding(owner) is not None
    await maker.get(path)
    assert "在用" in maker.words
    assert "到了生效时间" in maker.words


async def test_an_end_is_entered_beside_the_start_and_told_on_every_page(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    maker, second, path = await _submitted(desks)
    assert "到期以后本行在这一环节不再加严，只按省联社的规则办" in second.words
    day = clock.local(clock.now()) + timedelta(days=3)
    start, end = f"{day:%Y-%m-%dT%H:%M}", f"{day + timedelta(days=40):%Y-%m-%dT%H:%M}"
    for until, wrong in (
        ("年底", "时间写成"),
        ("2020-01-01T00:00", "结束时间要在现在以后"),
        ("2099-01-01T00:00", "三年以内"),
        (start, "结束时间要在生效时间以后"),
    ):
        await act(second, "approve", reason="同意", effective_from=start, effective_until=until)
        assert (second.reply.status_code, wrong in second.words) == (422, True), (until, second.words)
    await act(second, "approve", reason="同意，到年底", effective_from=start, effective_until=end)
    assert second.reply.status_code == 200, second.words
    assert "为止。到期以后本行在这一环节不再加严" in second.words
    of = f"{HOME}/of?product=*&stage=eligibility"
    for page in (HOME, of):
        await maker.get(page)
        assert re.search(r"起，?.{0,20}止", maker.words), (page, maker.words)
    with clock.at(clock.now() + timedelta(days=3, minutes=5)):
        await put_strategies_live.put_strategies_live(road.context)
        assert await deciding(owner) is not None
        later = await desks.of("JX0101")
        await later.get(HOME)
        assert re.search(r"第 2 版 ?，.{5,20}止", later.words), later.words
    with clock.at(clock.now() + timedelta(days=43, minutes=5)):
        await put_strategies_live.put_strategies_live(road.context)
        assert await deciding(owner) is None
        later = await desks.of("JX0101")
        await later.get(path)
        assert "停用：到了结束时间" in later.words


async def _closed(road: Road) -> None:
    """Head office lets no county add rows any more."""
    async with road.db.begin(ADMIN) as tx:
        hand = Stagehand(tx)
        begun = await service.draft(await hand.as_(ADMIN), "*", Stage.ELIGIBILITY, reason="不再开放")
        content = UnionContent(document=begun.content.document)
        saved = await service.save(await hand.as_(ADMIN), begun.id, content)
        await hand.through(saved, ADMIN, ANALYST)


@pytest.mark.parametrize("fit", [True, False])
async def test_at_its_end_a_version_gives_its_place_back_or_the_county_is_told(
    road: Road, desks: Desks, owner: asyncpg.Connection, fit: bool
) -> None:
    maker, second, _ = await _submitted(desks)
    await act(second, "approve", reason="同意")
    stood = await deciding(owner)
    await overlay(maker, "A12")
    await act(maker, "check")
    await act(maker, "submit")
    await second.get(maker.path)
    assert "到期以后换回现在在用的第 2 版；它那时要是通不过检查，本行在这一环节不再加严" in second.words
    day = clock.local(clock.now()) + timedelta(days=3)
    await act(second, "approve", reason="秋收用几天", effective_until=f"{day:%Y-%m-%dT%H:%M}")
    assert "到期以后换回它接替的第 2 版；它那时" in second.words, second.words
    assert await deciding(owner) not in (None, stood)
    if not fit:
        await _closed(road)
    with clock.at(clock.now() + timedelta(days=3, minutes=5)):
        await put_strategies_live.put_strategies_live(road.context)
        assert await deciding(owner) == (stood if fit else None)
        later = await desks.of("JX0101")
        await later.get(HOME)
        assert bool(re.search(r"第 \d 版到了结束时间，它接替的这一版回来", later.words)) is fit, later.words
        assert ("到期了，没有接上" in later.words) is not fit
        for number, waits in (("JX0101", True), ("YX0101", False), ("JX0201", False)):
            desk = await desks.of(number)
            await desk.get("/console")
            assert ("1 版策略到期了，没有接上" in desk.words) is (waits and not fit), number
        await later.get(maker.path)
        assert f"停用：到了结束时间；第 2 版{'回来' if fit else '没有回来：检查没有通过'}" in later.words
        office = await desks.of("SL0001")
        await office.get(HOME)
        assert ("到期了，没有接上" in office.words, "甲县" in office.words) == (not fit, True)
    done = "select count(*) from audit.entries where action = $1"
    kind = f"strategy.{'returned' if fit else 'not_returned'}"
    assert await owner.fetchval(done, kind) == 1


async def test_what_everything_stands_on_has_no_field_for_an_end(desks: Desks) -> None:
    maker, second = await desks.of("SL0001"), await desks.of("SL0002")
    base = await draft(maker, reason="全省收紧")
    await act(maker, "check")
    await act(maker, "submit")
    await second.get(base)
    assert "所有产品都靠这一版，不定结束时间" in second.words
    assert "effective_until" not in second.reply.text


async def test_a_yes_taken_back_before_its_day_never_goes_live(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    _, second, _ = await _submitted(desks)
    day = clock.local(clock.now()) + timedelta(days=3)
    await act(second, "approve", reason="同意，下周起", effective_from=f"{day:%Y-%m-%dT%H:%M}")
    assert "撤回批准" in second.words
    await act(second, "reject", reason="数字核错了")
    assert "未批准" in second.words, second.words
    with clock.at(clock.now() + timedelta(days=4)):
        await put_strategies_live.put_strategies_live(road.context)
    assert await deciding(owner) is None


async def test_what_an_agreed_day_takes_back_is_said_on_both_versions(desks: Desks) -> None:
    """A yes for next week, and one for today: on the day the older draft takes today's change back (A3-34)."""
    maker, second, _ = await _submitted(desks)
    dated = second.path
    day = clock.local(clock.now()) + timedelta(days=3)
    await act(second, "approve", reason="同意，下周起", effective_from=f"{day:%Y-%m-%dT%H:%M}")
    assert "起草以后，在用的换过了" not in second.words
    await overlay(maker, "A77")
    assert "那一版里没有这份草稿的改动，要一直用，先撤回那一版的批准" in maker.words
    live = await put_live(maker, second)
    await second.get(f"{HOME}/{live}")
    assert "到时会换掉这一版" in second.words
    await second.get(dated)
    assert "这一版会把后来的改动盖掉" in second.words
    await overlay(maker, "A78")
    await act(maker, "check")
    await act(maker, "submit")
    await second.get(maker.path)
    later = second.path
    next_day = day + timedelta(days=1)
    await act(second, "approve", reason="同意，再下一天起", effective_from=f"{next_day:%Y-%m-%dT%H:%M}")
    assert "到时会换掉这一版" not in second.words, "the earlier one is over by then"
    await second.get(dated)
    assert "到时会换掉这一版" in second.words
    await act(second, "reject", reason="里面没有今天的改动")
    await second.get(later)
    await act(second, "reject", reason="也不用了")
    await second.get(f"{HOME}/{live}")
    assert "到时会换掉这一版" not in second.words


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("", ("征信", "近 6 个月贷款查询 不低于 8", "检查这一版", "改了什么")),
        ("/row?table=bureau&row=bureau-4", ("近 6 个月贷款查询", "存成草稿", "删掉")),
        ("/files", ("从 Excel 导入", "从流程图文件导入")),
        ("/try", ("流程图", "结果", "重算")),
        ("/openings", ("近 6 个月贷款查询 不低于 8", "县行可以加行的表", "存成草稿")),
        ("/arrange", ("节点和连线", "接到", "自动排齐", "加一个节点")),
    ],
)
async def test_a_strategys_pages_are_read_and_used_without_a_script(
    desks: Desks, page: str, words: tuple[str, ...]
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    await desk.get(f"{base}{page}")
    text = desk.reply.text
    assert desk.reply.status_code == 200
    for said in words:
        assert said in desk.words, said
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "no script stands in a page"
    assert not re.search(r"\bon(click|change|input|submit)=", text)
    assert 'href="#"' not in text
    for form in desk.page.forms:
        assert form.action.startswith("/"), "every button sends a form"
    assert not re.search(r"<(section|div|table)[^>]*\bhidden\b", text), (
        "nothing waits for a script to show it"
    )


async def test_who_changes_what_decides_proves_again_who_they_are(desks: Desks) -> None:
    start = clock.now()
    maker, second = await desks.of("JX0101"), await desks.of("JX0301")
    await overlay(maker, "A30")
    await put_live(maker, second)
    await overlay(maker, "A31")
    await act(maker, "check")
    await act(maker, "submit")
    await second.get(maker.path)
    form = next(each for each in second.page.forms if each.action.endswith("/act"))
    with clock.at(start + timedelta(minutes=6)):
        await second.send(form, act="approve", reason="看过了")
        assert second.reply.status_code == 403
        await second.get(maker.path)
        assert "您的意见" not in second.words, "asked before it is typed"
        await second.confirm()
        assert second.path == maker.path
        await act(second, "approve", reason="看过了")
        assert "在用" in second.words
        await maker.get(OF)
    with clock.at(start + timedelta(minutes=14)):
        await second.get(OF)
        assert not [each for each in second.page.forms if each.action.endswith("/roll-back")]
        await second.confirm()
        assert second.page.form("/roll-back")
