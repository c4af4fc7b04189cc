"""A trial of early warning (贷后预警): what a strategy would have said of each loan a quarter before its end was known,
and how often it would have been right (A6-06). The outcomes are `assess`'s own."""

import msgspec
import polars as pl

from backend.domains.decision import assess, assessment, facts
from backend.domains.decision.assess import Prepared
from backend.domains.decision.model import Case, Stage
from backend.domains.trials import cases, recipes
from backend.domains.trials.model import Alarms, Measured, Recipe
from backend.domains.trials.tallying import GROUPS

STAGE = Stage.EARLY_WARNING


def build(recipe: Recipe) -> Prepared:
    """Check and compile. Raises `StrategyRefused`."""
    catalogue = facts.Catalogue(recipe.catalogue.encode())
    overlay = msgspec.json.decode(recipe.overlays[STAGE]) if STAGE in recipe.overlays else None
    document = msgspec.json.decode(recipe.strategies[STAGE])
    library = recipes.library(recipe, catalogue)
    return assess.prepare(STAGE, document, catalogue=catalogue, library=library, overlay=overlay)


def judge(frame: pl.DataFrame, draft: Prepared, base: Prepared | None) -> pl.DataFrame:
    """`draft_action` (and `base_action`) beside the groups of each row."""
    made = list(cases.of_signals(frame))
    columns = [_actions("draft", made, draft)]
    if base is not None:
        columns.append(_actions("base", made, base))
    return frame.with_columns(columns)


def _actions(side: str, made: list[Case], using: Prepared) -> pl.Series:
    said = [assess.assess(STAGE, case, {STAGE: using}).outcome for case in made]
    return pl.Series(f"{side}_action", said, dtype=pl.String)


def tally(judged: pl.DataFrame) -> list[Measured]:
    """Per group: `referred` alarms, `approved` quiet loans, `matured` all, `bad` alarms a default came after,
    `declined` defaults without an alarm; by action: loans with it and the defaults among them."""
    found: list[Measured] = []
    for side in ("draft", "base"):
        if f"{side}_action" in judged.columns:
            found += _side(judged, side)
    return found


def _side(judged: pl.DataFrame, side: str) -> list[Measured]:
    alarm, bad = pl.col(f"{side}_action") != assessment.NONE, pl.col("defaulted") == 1
    rows = judged.with_columns(pl.lit("").alias("all"))
    sums = [
        pl.len().cast(pl.Int64).alias("cases"),
        alarm.sum().cast(pl.Int64).alias("referred"),
        (alarm & bad).sum().cast(pl.Int64).alias("bad"),
        (~alarm & bad).sum().cast(pl.Int64).alias("declined"),
    ]
    found = []
    for grouping in ("all", *(name for name in GROUPS if name in judged.columns)):
        for member, count, alarms, right, missed in (
            rows.group_by(grouping).agg(sums).sort(grouping).iter_rows()
        ):
            if member or grouping == "all":
                found.append(_measured(grouping, member, side, count, alarms, right, missed))
    by_action = rows.group_by(f"{side}_action").agg(sums[0], bad.sum().cast(pl.Int64).alias("bad"))
    for action, count, right in by_action.sort(f"{side}_action").iter_rows():
        quiet = action == assessment.NONE
        found.append(_measured("action", action, side, count, 0 if quiet else count, right, 0))
    return found


def _measured(
    grouping: str, member: str, side: str, count: int, alarms: int, right: int, missed: int
) -> Measured:
    return Measured(
        grouping=grouping, member=member, side=side, cases=count, approved=count - alarms, referred=alarms,
        declined=missed, amount_fen=0, rate_amount=0, loss_fen=0, matured=count, bad=right,
    )  # fmt: skip


def alarms(measured: Measured) -> Alarms:
    """A group's figures by their own names (not of grouping `action`)."""
    return Alarms(
        cases=measured.cases, alarms=measured.referred, right=measured.bad, missed=measured.declined
    )
