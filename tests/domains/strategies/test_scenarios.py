"""Scenarios: saved cases with what must come of them, run at every check (issue 3 §2)."""

import copy

import asyncpg
import msgspec
import pytest

from backend.domains.decision import bundle, evaluate
from backend.domains.decision.model import Outcome, Stage
from backend.domains.strategies import overlays, scenario_book, scenarios, service, shipped
from backend.domains.strategies.model import (
    CountyContent,
    Expected,
    NotPassed,
    NotYourStrategy,
    OwnScenarioStop,
    ReasonMissing,
    Scenario,
    ScenarioMissing,
    ScenarioNameTaken,
    UnionContent,
)
from tests.domains.decision.conftest import read
from tests.domains.savepoint import savepoint
from tests.domains.strategies.conftest import (
    ADMIN,
    ANALYST,
    COUNTY_ADMIN,
    COUNTY_ANALYST,
    OFFICER,
    OTHER_ADMIN,
    Stagehand,
    cell,
    previewed,
    stop_scenarios,
)

GOOD = read("approved_payroll")


def test_the_shipped_scenarios_are_met_by_the_shipped_strategies():
    held = shipped.scenarios()
    assert {expected.outcome for _, _, expected in held} == set(Outcome)
    assert len(held) >= 15
    for name, case, expected in held:
        [result] = scenarios.run([made(name, case, expected)], bundle.seeded())
        assert result.wrong == [], name


def said_alone() -> dict[str, set[str]]:
    """Code → the codes beside it that count, of the scenario that has it with the fewest others."""
    found: dict[str, set[str]] = {}
    for _, case, _ in shipped.scenarios():
        reasons = evaluate.evaluate(case, bundle.seeded()).decision.reasons
        codes = {each.code for each in reasons if each.severity != "note"}
        for code in codes:
            others = {each for each in codes - {code} if not each.startswith("LIMIT_")}
            if code not in found or len(others) < len(found[code]):
                found[code] = others
    return found


def test_each_hard_rule_stands_alone_in_a_shipped_scenario_and_each_grade_and_cap_is_met():
    rows = [
        {column["field"]: str(rule[column["id"]]).strip("'") for column in node["content"]["outputs"]}
        for stage in (Stage.FRAUD_CHECK, Stage.ELIGIBILITY)
        for node in overlays.tables(bundle.seeded_documents()[stage]).values()
        for rule in node["content"]["rules"]
    ]
    hard = {row["code"] for row in rows if row["severity"] == "decline"}
    alone = said_alone()
    assert {code for code in hard if alone.get(code, hard)} == set(), "each alone"
    decisions = [evaluate.evaluate(case, bundle.seeded()).decision for _, case, _ in shipped.scenarios()]
    approved = [each for each in decisions if each.outcome is Outcome.APPROVED]
    assert {each.grade for each in approved} == set("ABCD")
    bound = {cap.name for each in approved for cap in each.caps if cap.binding}
    assert bound >= {"product", "regulation", "requested", "income", "obligations", "exposure", "history"}
    assert {part.name for each in approved for part in each.price} >= {"floor", "cap", "campaign", "term"}
    names = [name for name, _, _ in shipped.scenarios()]
    assert len(set(names)) == len(names)


def made(name, case, expected):
    return Scenario(
        id="1",
        product_code="*",
        stage="",
        name=name,
        case=case,
        expected=expected,
        made_by="",
        made_at=case.as_of,
    )


@pytest.mark.parametrize(
    "expected, sentence",
    [
        (Expected(outcome=Outcome.DECLINED), "应当未通过，结果是通过"),
        (Expected(outcome=Outcome.APPROVED, codes=("EL_AREA",)), "应当有原因 EL_AREA，结果没有"),
        (Expected(outcome=Outcome.APPROVED, grade="C"), "应当是 C 级，结果是 A 级"),
        (
            Expected(outcome=Outcome.APPROVED, amount_max_fen=1_000_000),
            "金额应当在 不限 到 10,000 元 之间，结果是 20,000 元",
        ),
        (
            Expected(outcome=Outcome.APPROVED, rate_min_bp=600, rate_max_bp=700),
            "年利率应当在 6% 到 7% 之间，结果是 5.35%",
        ),
    ],
)
def test_what_is_not_as_expected_is_said(expected, sentence):
    [result] = scenarios.run([made("甲", GOOD, expected)], bundle.seeded())
    assert result.wrong == [sentence]


def test_an_amount_is_wanted_and_there_is_none():
    expected = Expected(outcome=Outcome.DECLINED, amount_min_fen=1)
    [result] = scenarios.run([made("乙", read("declined_court"), expected)], bundle.seeded())
    assert result.wrong == ["金额应当在 0.01 元 到 不限 之间，结果没有金额"]


async def test_a_strategy_with_a_failing_scenario_is_not_checked_and_cannot_be_approved(hand: Stagehand):
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="调整")
    assert isinstance(begun.content, UnionContent)
    document = copy.deepcopy(begun.content.document)
    cell(document, "bureau", "bureau-4", "c4", ">= 30")
    content = UnionContent(document=document)
    saved = await service.save(tx, begun.id, content)
    run = await service.check(tx, saved.id)
    wrong = {each.name: each.wrong for each in run.report.scenarios if each.wrong}
    assert set(wrong) == {"查询太多，应当拒绝", "几个原因都要说出来", "近 6 个月查询 8 次，应当拒绝"}
    assert (await service.get(tx, saved.id)).status == "draft"
    with pytest.raises(NotPassed) as refused:
        await service.submit(tx, saved.id)
    assert refused.value.report.failures == 3
    assert any(f"场景“{name}”" in refused.value.text for name in wrong), "the first of them is said"


async def test_a_scenario_added_after_the_check_stops_the_approval(hand: Stagehand):
    """The approval runs the checks again, over the scenarios of that moment."""
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="调整")
    saved = await service.save(tx, begun.id, begun.content, note="没有改")
    await service.check(tx, saved.id)
    await service.submit(tx, saved.id)
    await hand.measured(saved)
    tx = await hand.as_(ADMIN)
    await scenario_book.add(tx, "*", "这个应当拒绝", GOOD, Expected(outcome=Outcome.DECLINED))
    with pytest.raises(NotPassed) as refused:
        await service.approve(await hand.as_(ANALYST), saved.id, reason="好的")
    assert "场景“这个应当拒绝”：应当未通过，结果是通过" in refused.value.text


async def test_a_countys_scenarios_are_its_own_and_run_on_its_own_overlays(hand: Stagehand):
    tx = await hand.as_(COUNTY_ADMIN)
    number = await scenario_book.add(tx, "*", "本县收紧后拒绝", GOOD, Expected(outcome=Outcome.DECLINED))
    [live] = await scenario_book.run_live(tx, "*")
    assert live.wrong
    content = CountyContent(rows={"bureau": [
        {"c4": ">= 0", "r1": "'CT'", "r2": "'decline'", "r3": "'本行暂停办理'", "r4": "'以后再来'"}]})  # fmt: skip
    report = await previewed(tx, "*", Stage.ELIGIBILITY, content)
    assert (report.failures, report.scenarios[0].reasons) == (0, ["CT"])
    loose = await previewed(tx, "*", Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 4}))
    assert loose.failures == 1
    other = await hand.as_(OTHER_ADMIN)
    assert await scenario_book.of_product(other, "*") == []
    with pytest.raises(ScenarioMissing):
        await scenario_book.ask_to_stop(other, number, "不要了")


async def test_a_stopped_scenario_is_kept_and_a_name_is_used_once(hand: Stagehand, tx):
    mine = await hand.as_(COUNTY_ADMIN)
    first = await scenario_book.add(mine, "SXD", "甲", GOOD, Expected(outcome=Outcome.APPROVED))
    with pytest.raises(ScenarioNameTaken):
        await scenario_book.add(mine, "SXD", "甲", GOOD, Expected(outcome=Outcome.APPROVED))
    await stop_scenarios(mine, "SXD")
    second = await scenario_book.add(mine, "SXD", "甲", GOOD, Expected(outcome=Outcome.DECLINED))
    assert [each.id for each in await scenario_book.of_product(mine, "SXD")] == [second]
    assert await scenario_book.of_product(mine, "NJD") == []
    with pytest.raises(ScenarioMissing):
        await scenario_book.ask_to_stop(mine, first, "不要了")
    with pytest.raises(NotYourStrategy):
        await scenario_book.add(await hand.as_(OFFICER), "*", "乙", GOOD, Expected(outcome=Outcome.APPROVED))
    stored = await tx.connection.fetchval(
        "select count(*) from strategies.scenarios where institution_id = '4101'"
    )
    assert stored == 2


async def test_the_case_of_a_scenario_is_sealed(hand: Stagehand):
    mine = await hand.as_(COUNTY_ADMIN)
    spoken = msgspec.structs.replace(GOOD, product="SXD")
    await scenario_book.add(mine, "SXD", "甲", spoken, Expected(outcome=Outcome.APPROVED))
    row = await mine.connection.fetchrow("select * from strategies.scenarios where name = '甲'")
    assert b"declared_annual_income" not in row["body"]


async def test_a_scenario_is_stopped_by_two_people_with_a_reason(hand: Stagehand):
    """Whoever writes a rule cannot take the case away that holds it (A3-34, D1-05)."""
    mine = await hand.as_(COUNTY_ADMIN)
    number = await scenario_book.add(mine, "*", "甲", GOOD, Expected(outcome=Outcome.APPROVED))
    with pytest.raises(ReasonMissing):
        await scenario_book.ask_to_stop(mine, number, " ")
    await scenario_book.ask_to_stop(mine, number, "和新的规则对不上")
    with pytest.raises(OwnScenarioStop):
        await scenario_book.stop(mine, number)
    assert [each.id for each in await scenario_book.of_product(mine, "*")] == [number], "it is run until then"
    for act in (scenario_book.stop, scenario_book.keep):
        with pytest.raises(NotYourStrategy):
            await act(await hand.as_(OFFICER), number)
    mine = await hand.as_(COUNTY_ADMIN)
    for by in (f"'staff:{COUNTY_ADMIN.id}'", "null"):
        with pytest.raises(asyncpg.CheckViolationError):
            async with savepoint(mine):
                await mine.connection.execute(
                    f"update strategies.scenarios set retired_at = now(), retired_by = {by} where id = $1",
                    number,
                )
    second = await hand.as_(COUNTY_ANALYST)
    await scenario_book.keep(second, number)
    with pytest.raises(ScenarioMissing):
        await scenario_book.stop(second, number)
    await scenario_book.ask_to_stop(await hand.as_(COUNTY_ADMIN), number, "和新的规则对不上")
    await scenario_book.stop(await hand.as_(COUNTY_ANALYST), number)
    assert await scenario_book.of_product(mine, "*") == []
    [gone] = await scenario_book.stopped(mine, "*")
    assert (gone.name, gone.stop_why) == ("甲", "和新的规则对不上")
    assert (gone.stop_asked_by, gone.retired_by) == (f"staff:{COUNTY_ADMIN.id}", f"staff:{COUNTY_ANALYST.id}")
