"""Trials on their pages: started, watched, stopped, read, taken along, compared; a county's own (A3-33, A6-06)."""

import json
import re
from datetime import timedelta
from html import unescape

import asyncpg
import pytest

from backend.commands import practice
from backend.core import clock
from backend.core.actor import system
from backend.domains.audit import service as audit
from backend.domains.strategies.model import Version
from backend.flows import run_trial
from tests.domains.models.test_register import registered
from tests.domains.trials.conftest import NAME, county, loading
from tests.domains.trials.test_versions import decided_in, harder_card, stricter_draft
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks

__all__ = ["county", "loading"]
ANALYST, ADMIN, HEAD, AUDITOR, OTHER = "JX0301", "JX0101", "SL0001", "JX0401", "YX0101"
HOME = "/console/trials"


async def start(desk: Desk, **given: str) -> str:
    """The address of a new trial."""
    await desk.get(HOME)
    form = next(each for each in desk.page.forms if each.action == HOME and each.method == "post")
    await desk.send(form, **({"strategy": "live", "against": "live", "cases": "history", "size": ""} | given))
    return desk.path


async def handed_in(road: Road, owner: asyncpg.Connection) -> Version:
    """A version of head office that waits for approval: a county may look at it from then on."""
    draft = await stricter_draft(road.context)
    await owner.execute("update strategies.versions set submitted_at = now() where id = $1", draft.id)
    return draft


async def finish(road: Road, path: str, institution: str = "4101") -> None:
    run = path.rpartition("/")[2]
    await run_trial.run_trial(road.context, system(institution, "trial"), run, workers=1)


def drawn(desk: Desk) -> list[dict[str, object]]:
    return [json.loads(unescape(text)) for text in re.findall(r'data-chart="([^"]*)"', desk.reply.text)]


async def test_a_county_tries_a_version_on_its_own_past_cases_and_watches_it(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await decided_in(road.context, *["4101"] * 4, "4102")
    draft = await handed_in(road, owner)
    desk = await desks.of(ANALYST)
    await desk.get(f"{HOME}?strategy={draft.id}")
    assert f'value="{draft.id}" selected' in desk.reply.text
    assert "本行办过的申请有 16 个" in desk.words
    path = await start(desk, strategy=draft.id)
    assert "等待开始" in desk.words
    assert f'hx-get="{path}/progress"' in desk.reply.text
    part = await desk.http.get(f"{path}/progress")
    assert ("0</b> / 16" in part.text, "hx-refresh" in part.headers) == (True, False)
    await road.drain()
    part = await desk.http.get(f"{path}/progress")
    assert (part.headers["hx-refresh"], "hx-get" in part.text) == ("true", False)
    await desk.get(path)
    for words in ("完成", f"省联社准入 第 {draft.number} 版", "对照：在用的版本", "不再通过", "同样的客户"):
        assert words in desk.words, words
    assert "人数按 5 取整，不到 5 的不显示" in desk.words, "a county's own customers too (D3-07)"
    told = (await desk.http.get(f"{path}/report.json")).json()["results"]
    counts = {each[name] for each in told for name in ("cases", "approved", "referred", "declined")}
    assert all(count is None or (count and count % 5 == 0) for count in counts), counts
    assert "取整" in (await desk.http.get(f"{path}/report.html")).text
    spec = drawn(desk)[0]
    assert [each["name"] for each in spec["series"]] == ["对照的版本", "试算的版本"]  # type: ignore[index,attr-defined]
    await desk.get(f"{HOME}?strategy={draft.id}")
    assert path in desk.page.links
    async with road.db.read(system("4101", "test")) as tx:
        acts = {entry.action: entry.actor for entry in await audit.of(tx, path.rpartition("/")[2])}
    assert set(acts) == {"trial.asked", "trial.done"}
    assert acts["trial.asked"].startswith("staff:")


async def test_a_days_trials_on_real_customers_come_to_an_end(
    road: Road, desks: Desks, owner: asyncpg.Connection, county: practice.Loaded
) -> None:
    """Dozens of pairs averaged the rounding away (D3-07); an institution's own count, and no limit on what is
    invented."""
    await owner.execute("update regulation.parameters set value = '2' where key = 'trials.a_day'")
    await decided_in(road.context, *["4101"] * 4, "4102")
    desk, other = await desks.of(ADMIN), await desks.of(HEAD)
    for left in (2, 1):
        await desk.get(HOME)
        assert f"今天还能在它们上面试 {left} 次，演练县不限" in desk.words
        assert (await start(desk)).startswith(f"{HOME}/"), desk.words
        await road.drain()
    assert await start(desk) == HOME
    assert (desk.reply.status_code, "今天已经在真实客户上试算过 2 次" in desk.words) == (422, True), (
        desk.words
    )
    assert "今天还能在它们上面试 0 次" in desk.words
    assert (await start(desk, cases=f"county:{NAME}", size="1000")).startswith(f"{HOME}/"), desk.words
    assert (await start(other)).startswith(f"{HOME}/"), other.words
    with clock.at(clock.now() + timedelta(days=1)):
        tomorrow = await desks.of(ADMIN)
        assert (await start(tomorrow)).startswith(f"{HOME}/"), tomorrow.words


async def test_the_groups_of_a_practice_county_are_drawn_and_in_tables_and_the_report_is_taken(
    road: Road, desks: Desks, county: practice.Loaded
) -> None:
    body, _ = harder_card()
    model = await registered(road.db, body, name="更严的评分卡")
    desk = await desks.of(HEAD)
    path = await start(desk, model=model.id, cases=f"county:{NAME}", size="1000")
    await finish(road, path, "0000")
    groups = (
        ("product", "产品", "信"), ("occupation", "职业", "种植养殖"), ("sex", "性别", "女"), ("village", "村", "村"),
    )  # fmt: skip
    for by, word, member in groups:
        await desk.get(f"{path}?by={by}")
        charts = drawn(desk)
        assert len(charts) == 4
        assert any(member in label for label in charts[0]["labels"]), by  # type: ignore[attr-defined]
        assert f'aria-current="true">{word}<' in desk.reply.text
    assert "模型 更严的评分卡" in desk.words
    told, _, codes = desk.reply.text.partition("原因码（给技术人员）")
    shown = told[told.index("未通过的第一条原因") :]
    assert re.search(r">[^<>]*[\u4e00-\u9fff）]</th>", shown), "reasons are told in words"
    assert (re.search(r"\bEL_[A-Z_]+", shown), bool(re.search(r"<dd>EL_[A-Z_]+", codes))) == (None, True), (
        "and their codes stand apart, for who searches by them"
    )
    page = await desk.http.get(f"{path}/report.html")
    assert page.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert "预期损失" in page.text
    assert not re.search(r"<td>EL_[A-Z_]+", page.text), "nor does the report say codes"
    told = (await desk.http.get(f"{path}/report.json")).json()
    assert (told["run"]["cases_done"], told["run"]["model_id"]) == (1_000, model.id)
    await desk.get(f"{HOME}?model={model.id}")
    assert "更严的评分卡（草稿）" in desk.words
    assert path in desk.page.links


async def test_early_warning_is_tried_with_its_false_alarms(
    road: Road, desks: Desks, county: practice.Loaded
) -> None:
    desk = await desks.of(ADMIN)
    path = await start(desk, strategy="early_warning", cases="history")
    assert (desk.reply.status_code, "贷后预警只能在演练县上试算" in desk.words) == (422, True)
    path = await start(desk, strategy="early_warning", cases=f"county:{NAME}", size="1000")
    await finish(road, path)
    await desk.get(path)
    for words in ("误报率", "提前发现", "漏报", "冻结额度"):
        assert words in desk.words, words
    assert len(drawn(desk)) == 2


async def test_a_trial_is_stopped_once_and_what_is_done_stays(
    road: Road, desks: Desks, county: practice.Loaded
) -> None:
    desk = await desks.of(ANALYST)
    path = await start(desk, cases=f"county:{NAME}")
    run = path.rpartition("/")[2]
    first = await run_trial.run_trial(road.context, system("4101", "trial"), run, workers=1, seconds=0.0)
    assert first.status == "running"
    await desk.get(path)
    form = desk.page.form(f"{path}/cancel")
    await desk.send(form)
    assert "正在停" in desk.words
    await road.drain()
    await desk.get(path)
    assert "已停止" in desk.words
    assert "数字不完整" in desk.words
    token = next(each for each in desk.page.forms if "csrf_token" in each.values)
    again = await desk.http.post(f"{path}/cancel", data=form.values | {"form_key": token.values["form_key"]})
    assert again.status_code == 303


async def test_a_practice_county_has_no_decision_of_then_to_stand_against(
    road: Road, desks: Desks, owner: asyncpg.Connection, county: practice.Loaded
) -> None:
    desk = await desks.of(ANALYST)
    await start(desk, against="decided", cases=f"county:{NAME}", size="1000")
    assert desk.reply.status_code == 422
    assert "演练县的人没有申请过，没有当时的决定可以对照" in desk.words
    assert await owner.fetchval("select count(*) from trials.runs") == 0
    await start(desk, against="live", cases=f"county:{NAME}", size="1000")
    assert desk.reply.status_code == 200


async def test_two_trials_are_laid_side_by_side(
    road: Road, desks: Desks, owner: asyncpg.Connection, county: practice.Loaded
) -> None:
    draft = await handed_in(road, owner)
    desk = await desks.of(ANALYST)
    made = []
    for strategy in ("live", draft.id):
        path = await start(desk, strategy=strategy, cases=f"county:{NAME}", size="1000")
        await finish(road, path)
        made.append(path.rpartition("/")[2])
    await desk.get(f"{HOME}/compare?a={made[0]}")
    assert "选两次算完的试算" in desk.words
    await desk.get(f"{HOME}/compare?a={made[0]}&b={made[1]}&by=occupation")
    assert "在用的版本" in desk.words
    assert "不完全一样" not in desk.words
    rate = next(re.finditer(r'data-label="差">([-+][\d.]+)<', desk.reply.text))
    assert float(rate[1]) < 0, "the stricter version lets fewer through"
    assert len(drawn(desk)) == 4
    await decided_in(road.context, "4101")
    past = await start(desk)
    await finish(road, past)
    await desk.get(f"{HOME}/compare?a={made[0]}&b={past.rpartition('/')[2]}")
    assert "不完全一样，只能粗看" in desk.words


async def test_a_county_finds_no_other_countys_trials_and_an_auditor_none(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await decided_in(road.context, "4101")
    mine = await desks.of(ANALYST)
    path = await start(mine)
    other, head = await desks.of(OTHER), await desks.of(HEAD)
    run = path.rpartition("/")[2]
    for desk in (other, head):
        for address in (path, f"{path}/progress", f"{path}/report.json", f"{HOME}/compare?a={run}&b={run}"):
            assert (await desk.http.get(address)).status_code == 404, address
        await desk.get(HOME)
        assert path not in desk.page.links
    await other.get(HOME)
    assert "本行办过的申请有 0 个" in other.words
    await start(other)
    assert "没有可以试算的案例" in other.words
    auditor = await desks.of(AUDITOR)
    assert (await auditor.http.get(HOME)).status_code == 403
    assert await owner.fetchval("select count(*) from trials.runs") == 1


async def test_the_worker_is_not_given_more_than_three_at_a_time(road: Road, desks: Desks) -> None:
    await decided_in(road.context, "4101")
    desk = await desks.of(ANALYST)
    for _ in range(3):
        assert (await start(desk)).startswith(f"{HOME}/")
    assert (await start(desk), desk.reply.status_code) == (HOME, 422)
    assert "已经有 3 次试算没算完" in desk.words


@pytest.mark.parametrize(
    "given",
    [
        {"strategy": ""}, {"cases": ""}, {"size": "7"}, {"strategy": "nonsense"}, {"model": "没有"},
        {"cases": "county:没有"}, {"against": "x"}, {"strategy": "../etc/passwd"},
    ],
)  # fmt: skip
async def test_what_cannot_be_tried_is_said_on_the_form(
    road: Road, desks: Desks, given: dict[str, str]
) -> None:
    await decided_in(road.context, "4101")
    desk = await desks.of(ANALYST)
    assert (await start(desk, **given), desk.reply.status_code) == (HOME, 422)
    assert 'role="alert"' in desk.reply.text


async def test_the_page_of_a_version_leads_to_its_trials(road: Road, desks: Desks) -> None:
    draft = await stricter_draft(road.context)
    desk = await desks.of(HEAD)
    await desk.get(f"/console/strategies/{draft.id}")
    assert f"{HOME}?strategy={draft.id}" in desk.page.links
    await desk.get(f"{HOME}?strategy={draft.id}")
    assert "这一版的试算" in desk.words
    auditor = await desks.of(AUDITOR)
    await auditor.get(f"/console/strategies/{draft.id}")
    assert f"{HOME}?strategy={draft.id}" not in auditor.page.links
