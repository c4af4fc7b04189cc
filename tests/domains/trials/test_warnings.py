"""A trial of early warning says how often an alarm would have been right, by group, as `assess` decides (A6-06)."""

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from backend.commands import practice
from backend.core import clock
from backend.core.actor import Actor
from backend.domains.decision import assess, facts
from backend.domains.decision.model import Stage
from backend.domains.trials import cases, report, strategy_file, warnings
from backend.domains.trials import service as trials
from backend.flows import run_trial, start_trial
from backend.flows.context import Context
from backend.flows.name_trial_versions import Versions
from backend.flows.start_trial import Asked
from backend.sandbox.county import calibrate, plan, tables
from tests.domains.trials.conftest import NAME

STAGE = Stage.EARLY_WARNING


def loans(count: int = 3_000) -> pl.DataFrame:
    made = calibrate.calibrated(plan.Plan(name=NAME, prefix="99", households=count, seed=5))
    whole = tables.slice_of(made, 0, count).frames
    groups = whole["facts"].select("household", "sex", "occupation", "defaulted")
    return whole["signals"].join(groups, on="household", maintain_order="left")


def quieter() -> dict[str, Any]:
    """The seeded strategy without its rows on short delays."""
    document = assess.seeded_document(STAGE)
    table = next(
        n
        for n in document["nodes"]
        if any("repayment" in r["_id"] for r in n.get("content", {}).get("rules", []))
    )
    table["content"]["rules"] = [
        r for r in table["content"]["rules"] if r["_id"] not in ("repayment-1", "repayment-2")
    ]
    return document


def test_every_signal_of_the_county_passes_the_gate_and_actions_are_those_of_assess() -> None:
    frame, using = loans(), assess.seeded()
    made = list(cases.of_signals(frame))
    needed = using[STAGE].needed
    assert all(facts.check(case, needed, using[STAGE].catalogue).gaps == [] for case in made)
    judged = warnings.judge(frame, using[STAGE], None)
    live = [assess.assess(STAGE, case, using).outcome for case in made]
    assert judged["draft_action"].to_list() == live
    assert set(live) == {"none", "watch", "call", "visit", "freeze"}


def test_alarms_are_worth_more_than_chance_and_some_are_false() -> None:
    judged = warnings.judge(loans(), assess.seeded()[STAGE], None)
    measured = warnings.tally(judged)
    [(_, whole, _)] = report.warning_rows(measured, "all")
    defaults = int(judged["defaulted"].sum())
    assert whole.cases == 3_000
    assert whole.right + whole.missed == defaults
    assert whole.alarms == (judged["draft_action"] != "none").sum()
    assert whole.false_alarm_bp is not None
    assert whole.caught_bp is not None
    assert 2_000 < whole.false_alarm_bp < 9_500
    assert whole.caught_bp > 4_000
    assert whole.right / whole.alarms > 2 * defaults / 3_000
    actions = [m for m in measured if m.grouping == "action"]
    assert sum(m.cases for m in actions) == 3_000
    assert sum(m.bad for m in actions) == defaults
    by_work = [rows for _, rows, _ in report.warning_rows(measured, "occupation")]
    assert sum(rows.alarms for rows in by_work) == whole.alarms


def test_a_missing_signal_is_watched_and_never_quiet() -> None:
    frame = loans(200).with_columns(pl.lit(None, dtype=pl.Boolean).alias("loan_court_case"))
    judged = warnings.judge(frame, assess.seeded()[STAGE], None)
    assert set(judged["draft_action"]) == {"watch"}


async def test_a_draft_of_early_warning_is_tried_on_the_county(
    context: Context, county: practice.Loaded, head_office: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "early_warning.json"
    path.write_bytes(msgspec.json.encode(quieter()))
    asked = Asked(
        draft=Versions(label=path.name, files=strategy_file.read(path)),
        against=Versions(), county=NAME, stage="early_warning",
    )  # fmt: skip
    run = await start_trial.start_trial(context, head_office, asked, queued=False)
    done = await run_trial.run_trial(context, head_office, run.id, workers=1)
    assert (done.status, done.stage, done.cases_done) == ("done", "early_warning", 3_000)
    async with context.db.read(head_office) as tx:
        measured = await trials.results(tx, run.id)
    [(_, draft, base)] = report.warning_rows(measured, "all")
    assert base is not None
    assert draft.alarms < base.alarms
    assert draft.missed > base.missed
    page = report.html(done, measured, clock.now(), {})
    for word in ("误报率", "提前发现", "冻结额度", "对照误报率", "按乡镇"):
        assert word in page


def test_a_document_that_is_none_is_refused(tmp_path: Path) -> None:
    from backend.domains.decision.model import StrategyRefused
    from tests.domains.trials.conftest import seeded_plan

    recipe = seeded_plan().draft.recipe(0)
    broken = msgspec.structs.replace(
        recipe, strategies={**recipe.strategies, str(STAGE): '{"nodes": [], "edges": []}'}
    )
    with pytest.raises(StrategyRefused):
        warnings.build(broken)
