"""The monitors' page: figures drawn and as tables, alarms that a person answers (D1-05, D3-03, N19)."""

import json
import re
from datetime import timedelta
from html import unescape

import asyncpg

from backend.core.actor import system
from backend.demo import staff_id
from backend.domains.audit import service as audit
from backend.domains.models import monitors, service, watching
from backend.domains.models.model import Result
from backend.flows import watch_models
from h5.console import charts
from tests.domains.models.test_register import MAKER, REPORT, act, registered
from tests.flows.conftest import Road
from tests.flows.test_models import history
from tests.h5.conftest import Desks
from tests.h5.scene import model_alarm, referred


async def test_head_office_sees_every_measure_drawn_and_in_a_table(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await history(owner, road.db)
    await watch_models.watch_models(road.context)
    desk = await desks.of("SL0001")
    await desk.get("/console/monitors")
    assert desk.reply.status_code == 200
    for words in (
        "总分偏移（PSI）",
        "数据项偏移（CSI）",
        "公平比值",
        "性别：女",
        "明显偏移",
        "样本太少",
        "还算不出",
    ):
        assert words in desk.words, words
    specs = [json.loads(unescape(text)) for text in re.findall(r'data-chart="([^"]*)"', desk.reply.text)]
    women = next(
        (label, value)
        for spec in specs
        for label, value in zip(spec["labels"], spec["series"][0]["values"], strict=True)
        if label == "明显偏移 性别：女"
    )
    assert women[1] < 0.8
    [fair] = [spec for spec in specs if "明显偏移 性别：女" in spec["labels"]]
    assert fair["limits"] == [0.8, 1.25]
    assert "两条红线标着 0.8 和 1.25" in desk.words
    assert desk.words.count("还画不出图，有几个数在下面") == 1, "KS of too few"
    assert f">{women[1]:.3f}<" in desk.reply.text, "the table says what the drawing says"
    assert "vendor/echarts-" in desk.reply.text
    await desk.get("/console")
    assert "echarts" not in desk.reply.text


async def test_the_marks_of_a_small_sample_are_those_it_was_judged_by(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """With 60 cases 0.10 means nothing: the page shows the marks of the day, not the textbook's (A3-37, N14)."""
    small = monitors.psi(watching.shipped().artefact, "psi", "", [500] * 10, [6] * 10)
    assert 0.10 < small.details["cut_offs"][0] < small.details["cut_offs"][1]
    async with road.db.begin(system("4101", "test")) as tx:
        await watching.keep(tx, tx.now.date(), [small], watching.ANALYST)
        few = monitors.psi(watching.shipped().artefact, "psi", "", [500] * 10, [3] + [1] * 9)
        await watching.keep(tx, tx.now.date() - timedelta(days=1), [few], watching.ANALYST)
    desk = await desks.of("JX0301")
    await desk.get("/console/monitors")
    told = " 和 ".join(f"{each:.3f}" for each in small.details["cut_offs"])
    assert f"60 {told}" in desk.words
    assert "0.100 和" not in desk.words
    assert "件数太少，不判断" in desk.words
    specs = [json.loads(unescape(text)) for text in re.findall(r'data-chart="([^"]*)"', desk.reply.text)]
    assert specs[0]["limits"] == [[None, each] for each in small.details["cut_offs"]]


async def test_a_county_sees_its_own_figures_and_sources_and_no_other_county(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await referred(road, owner, "4101", 301)
    desk = await desks.of("JX0301")
    await desk.get("/console/monitors")
    assert "各客户经理的通过率" in desk.words
    assert "公平比值" not in desk.words
    assert "数据来源" in desk.words
    assert re.search(r'data-label="审批件数">1<', desk.reply.text)
    other = await desk.get("/console/monitors?in=4102")
    assert other.status_code == 404


async def test_an_alarm_is_answered_with_a_note_once(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    alarm = await model_alarm(road, "4101")
    path = f"/console/monitors/4101/alarms/{alarm}"
    reader = await desks.of("JX0401")
    await reader.get("/console/monitors")
    assert ("等负责的人处理" in reader.words, path in reader.reply.text) == (True, False)
    desk = await desks.of("JX0301")
    await desk.get("/console/monitors")
    assert "随系统的评分卡：看图" in desk.words, "whose figures moved, where several models are in use"
    form = desk.page.form(path)
    await desk.send(form, note=" ", false_alarm="no")
    assert (desk.reply.status_code, "要写明为什么" in desk.words) == (422, True)
    await desk.send(desk.page.form(path), note="看过了，新来的客户经理", false_alarm="yes")
    assert "记下了" in desk.words
    assert "误报" in desk.words
    assert "没有等着处理的提醒" in desk.words
    row = await owner.fetchrow("select status, false_alarm, note from models.alarms where id = $1", alarm)
    assert tuple(row) == ("acknowledged", True, "看过了，新来的客户经理")
    async with road.db.read(system("4101", "test")) as tx:
        assert "model.alarm_acknowledged" in {entry.action for entry in await audit.of(tx, alarm)}


async def test_a_model_for_batches_has_its_drift_and_nothing_else_on_the_page(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """D1-05: early warning and pre-approval scores are watched too, where a batch was held against training."""
    new = await registered(road.db, name="贷后预警分")
    await act(road.db, MAKER, service.test, new.id, REPORT, "训练完")
    hash_ = "e" * 64
    await owner.execute(
        "insert into models.artefacts select $1, kind, body, added_by, added_at from models.artefacts", hash_
    )
    await owner.execute("update models.models set artefact = $1, decides = false", hash_)
    desk = await desks.of("SL0002")
    await desk.get(f"/console/monitors?model={hash_}")
    assert ("贷后预警分" in desk.words, "加 --watch" in desk.words) == (True, True)
    result = monitors.psi(hash_, "psi", "", [500] * 10, [900] + [400] * 9)
    async with road.db.begin(system("0000", "test")) as tx:
        await watching.keep(tx, tx.now.date(), [result], new.owner)
    await desk.get(f"/console/monitors?model={hash_}")
    for words in ("训练时和最近一批对着看", "总分偏移（PSI）", "吴模"):
        assert words in desk.words, words
    assert "通过率" not in desk.words


def test_the_items_that_moved_most_stand_first() -> None:
    """As the page says of them; what has too few cases comes last however large its figure."""
    told = {
        "a": ("notice", 0.13),
        "b": ("notice", 0.2),
        "c": ("moved", 0.3),
        "d": ("steady", 0.05),
        "e": ("too_few", 0.9),
    }
    found = {
        name: [{"day": "2026-11-28", "value": value, "level": level, "cases": 60}]
        for name, (level, value) in told.items()
    }
    drawn = charts.newest("CSI", "", found, charts.figure, str, drifts=True)
    assert [row[0] for row in drawn.rows] == ["c", "b", "a", "d", "e"]


async def test_an_alarm_of_a_registered_model_names_it_and_leads_to_its_charts(
    road: Road, desks: Desks
) -> None:
    model = await registered(road.db)
    found = Result(
        model_hash=model.artefact, measure="approval", subject=staff_id("4101", 1), value=0.12,
        level="moved", cases=80, details={"hits": 10, "others": 0.5, "z": -4.0},
    )  # fmt: skip
    async with road.db.begin(system("4101", "test")) as tx:
        await watching.keep(tx, tx.now.date(), [found], watching.ANALYST)
    desk = await desks.of("JX0301")
    await desk.get("/console/monitors")
    assert f"{model.name}：看图" in desk.words, desk.words
    assert f"/console/monitors?in=4101&model={model.artefact}" in desk.page.links
