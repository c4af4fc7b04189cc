"""The stages outside a decision on the pages of strategies: a county's layer, scenarios, trying with sliders and on
what was really asked (issue 3 §2, §8; N4, A3-33)."""

import re

import asyncpg
import pytest

from backend.core.actor import system
from backend.domains.audit import service as audit
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.sandbox.forms import Form
from h5.console import strategy_trials
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks, desks, road
from tests.h5.console.test_strategies import HOME, act, draft, levers, new_row
from tests.h5.scene import referred

__all__ = ["desks", "road"]

GENTLER = {
    "客户情况": "有困难",
    "怎么做": "提醒",
    "方式": "短信",
    "间隔": "10",
    "给客户的话": "先发短信问一问",
}
STRICTER = {"30 天内已触达次数": "不低于 1", "原因码": "CT1", "处理": "拒绝", "给客户的话": "本行一个月只打一次",
            "可以怎么做": "下个月再联系"}  # fmt: skip


def tried(desk: Desk) -> object:
    return next(f for f in desk.page.forms if f.action.endswith("/try") and f.method == "post")


async def test_a_countys_plan_is_written_checked_and_tried_with_sliders(desks: Desks) -> None:
    desk = await desks.of("JX0101")
    base = await draft(desk, stage="collection", reason="对有困难的客户缓一缓")
    assert "催收的“更严”是对客户更缓" in desk.words
    await new_row(desk, base, table="plan", **GENTLER)
    assert desk.reply.status_code == 200, desk.words
    path = desk.path
    await act(desk, "check")
    assert "检查通过" in desk.words, desk.words
    assert "每晚的催收计划和每次联系前问过的" in desk.words
    await desk.get(f"{path}/try")
    assert (desk.reply.status_code, 'class="box lit"' in desk.reply.text) == (200, True), desk.words
    await desk.send(tried(desk), **{levers(desk)["客户情况"]: "hardship"})  # type: ignore[arg-type]
    for words in ("提醒", "短信", "先发短信问一问", "本行加的", "间隔，天"):
        assert words in desk.words, desk.words
    await desk.send(
        tried(desk),  # type: ignore[arg-type]
        **{levers(desk)["客户情况"]: "hardship", levers(desk)["联系的钟点"]: "23"},
    )
    assert "现在不能联系" in desk.words


async def test_a_plan_harder_than_head_offices_is_said_not_to_be_taken(desks: Desks) -> None:
    desk = await desks.of("JX0101")
    base = await draft(desk, stage="collection", reason="催得紧一点")
    await new_row(desk, base, table="plan", **{**GENTLER, "怎么做": "上门", "方式": "上门"})
    await desk.get(f"{desk.path}/try")
    await desk.send(tried(desk), **{levers(desk)["客户情况"]: "hardship"})  # type: ignore[arg-type]
    assert "比省联社的重，没有采用" in desk.words, desk.words
    assert "打电话" in desk.words or "有困难，先谈展期或分期" in desk.words


@pytest.mark.parametrize(
    "stage", ["marketing_gate", "pre_screen", "drawdown_check", "early_warning", "collection"]
)
async def test_every_moment_has_its_scenarios_and_its_trial_for_head_office(desks: Desks, stage: str) -> None:
    desk = await desks.of("SL0001")
    await desk.get(f"{HOME}/of?product=*&stage={stage}")
    assert "县行加严：" in desk.words
    await desk.get(f"{HOME}/scenarios?product=*&stage={stage}")
    assert ("对" in desk.words, "应当" in desk.words) == (True, True)
    assert 'class="tag bad"' not in desk.reply.text, "the shipped document meets every shipped scenario"
    await draft(desk, stage=stage)
    base = desk.path
    await act(desk, "check")
    assert "个场景都对" in desk.words, desk.words
    await desk.get(f"{base}/try")
    assert ("<svg" in desk.reply.text, "结果" in desk.words, bool(levers(desk))) == (True, True, True)
    assert "先只画流程" not in desk.words


async def test_a_tried_case_becomes_a_scenario_of_its_stage(desks: Desks) -> None:
    desk = await desks.of("JX0101")
    await draft(desk, stage="marketing_gate", reason="少打一点")
    base = desk.path
    await desk.get(f"{base}/try")
    form = tried(desk)
    form.action = f"{base}/scenario"  # type: ignore[attr-defined]
    await desk.send(form, name="联系过一次的人", outcome="approved")  # type: ignore[arg-type]
    assert (desk.reply.status_code, "请选一个应当的结果" in desk.words) == (422, True), desk.words
    form = tried(desk)
    form.action = f"{base}/scenario"  # type: ignore[attr-defined]
    await desk.send(form, name="联系过一次的人", outcome="not_allowed")  # type: ignore[arg-type]
    assert "联系过一次的人" in desk.words
    assert "应当不联系，结果是可以联系" in desk.words, desk.words
    await new_row(desk, base, table="pace", **STRICTER)
    await act(desk, "check")
    assert "1 个场景都对" in desk.words, desk.words
    await desk.get(f"{HOME}/scenarios?product=*&stage=")
    assert "联系过一次的人" not in desk.words


async def test_what_was_really_asked_is_tried_from_its_case(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 621)
    number = application.application_no
    maker = await desks.of("JX0101")
    base = await draft(maker, stage="pre_screen", reason="名单外的先不办")
    await new_row(
        maker, base, table="person",
        **{"在邀请名单里": "否", "原因码": "CT2", "处理": "拒绝", "给客户的话": "本行暂时只办名单里的",
           "可以怎么做": "过些天再来"},
    )  # fmt: skip
    path = maker.path
    reviewer = await desks.of("JX0201")
    direct = await reviewer.get(f"{path}/try?decision={number}")
    assert direct.status_code == 403
    await reviewer.get(f"/console/cases/{number}")
    await reviewer.send(reviewer.page.form(f"/console/cases/{number}/try"), version=path.rsplit("/", 1)[1])
    assert f"申请 {number} 当时的资料" in reviewer.words, reviewer.words
    assert "结果：接着办，由人看 变成 不往下办" in reviewer.words, reviewer.words
    assert "多了理由：本行暂时只办名单里的" in reviewer.words
    async with road.db.read(system("4101", "test")) as tx:
        kept = await moments.last_of(tx, application.id, Stage.PRE_SCREEN)
        assert kept is not None
        noted = [entry for entry in await audit.of(tx, kept.id) if entry.action == "decision.tried"]
    assert len(noted) == 1
    assert path.rsplit("/", 1)[1] in noted[0].details


def acting(desk: Desk, act: str) -> Form:
    return next(form for form in desk.page.forms if form.values.get("act") == act)


async def test_a_scenario_is_stopped_on_the_page_by_another_person_and_who_approves_is_told(
    desks: Desks,
) -> None:
    maker, second = await desks.of("JX0101"), await desks.of("JX0301")
    await draft(maker, stage="marketing_gate", reason="少打一点")
    base = maker.path
    await maker.get(f"{base}/try")
    form = tried(maker)
    form.action = f"{base}/scenario"  # type: ignore[attr-defined]
    await maker.send(form, name="联系过一次的人", outcome="not_allowed")  # type: ignore[arg-type]
    path = f"{HOME}/scenarios?product=*&stage=marketing_gate"
    await maker.get(path)
    await maker.send(acting(maker, "ask"), why="")
    assert (maker.reply.status_code, "请写一句理由" in maker.words) == (422, True), maker.words
    await maker.send(acting(maker, "ask"), why="和新的规则对不上")
    assert "要停用：和新的规则对不上" in maker.words
    assert "同意停用" not in maker.words, "not by who asked"
    await second.get(path)
    await second.send(acting(second, "agree"))
    assert "停用了的场景" in second.words
    assert "和新的规则对不上（" in second.words, second.words
    await maker.get(base)
    assert "场景“联系过一次的人”在现在在用的版本之后停用了" in maker.words, maker.words


def offered(desk: Desk) -> list[str]:
    (chosen,) = re.findall(r'<select id="case".*?</select>', desk.reply.text, re.S)
    return re.findall(r"<option [^>]*>([^<]*)</option>", chosen)


async def test_a_stopped_scenario_is_not_offered_to_try_again(desks: Desks) -> None:
    """One that came with the code was, under the same name (A3-34)."""
    maker, second = await desks.of("SL0001"), await desks.of("SL0002")
    await draft(maker, stage="marketing_gate")
    base, path = maker.path, f"{HOME}/scenarios?product=*&stage=marketing_gate"
    await maker.get(f"{base}/try")
    left = set(offered(maker))
    assert len(left) > 1
    while left != {strategy_trials.SAMPLE}:
        await maker.get(path)
        await maker.send(acting(maker, "ask"), why="规则换了")
        await second.get(path)
        await second.send(acting(second, "agree"))
        await maker.get(f"{base}/try")
        fewer = set(offered(maker))
        assert fewer < left or (len(left) == 1 and fewer == {strategy_trials.SAMPLE}), fewer
        left = fewer
    assert "结果" in maker.words, "there is still something to begin with"


@pytest.mark.parametrize("stage", ["eligibility", "drawdown_check"])
async def test_a_tried_case_says_its_reasons_in_sentences_and_its_codes_apart(
    desks: Desks, stage: str
) -> None:
    """Codes stood beside the sentences (A6-02)."""
    desk = await desks.of("SL0001")
    base = await draft(desk, stage=stage)
    await desk.get(f"{base}/try")
    (chosen,) = re.findall(r'<select id="case".*?</select>', desk.reply.text, re.S)
    for case in re.findall(r'<option value="([^"]*)"', chosen):
        await desk.get(f"{base}/try?case={case}")
        result = desk.reply.text.partition("<h2>结果")[2].partition("</section>")[0]
        said, _, codes = result.partition("原因码（给技术人员）")
        codes = codes.partition("</details>")[0]
        found = re.findall(r"<dd>([A-Z0-9_]+)</dd>", codes)
        if found:
            break
    assert found
    assert not re.search(r"\b[A-Z]{2,}_[A-Z]+", said), said
    assert all(words in said for words in re.findall(r"<dt>([^<]+)</dt>", codes))
