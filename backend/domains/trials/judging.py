"""Deciding many cases with the engine's own `evaluate`, twice where a draft is held against a base.

The outcome is the live one by construction: the same function on the same case and bundle. What a trial does not
need (bytes, words, traces) is dropped as soon as it is made.
"""

import random
from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
import polars as pl

from backend.core import clock
from backend.domains.decision import bundle, cards, evaluate, facts
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.model import Capsule, Case, Decision, Outcome, Stage
from backend.domains.trials import cases, recipes, warnings
from backend.domains.trials.model import Plan, Recipe, Rules

_PAIRS_PER_CHUNK = 40
_BANDS = ((25, "25 岁以下"), (35, "25–34 岁"), (45, "35–44 岁"), (55, "45–54 岁"), (200, "55 岁及以上"))


class Verdict(msgspec.Struct, frozen=True):
    """What a trial keeps of a decision."""

    outcome: str
    amount_fen: int
    annual_rate_bp: int
    loss_fen: int
    grade: str
    reason: str


class Fairness(msgspec.Struct, frozen=True, kw_only=True):
    """Like pairs (D3-03): equal in every fact that may price, apart in those that may not."""

    pairs: int = 0
    differing: int = 0
    worst_gap_bp: int = 0


class Judged(msgspec.Struct, frozen=True):
    """A row per case: its groups and what each side said."""

    frame: pl.DataFrame
    fairness: Fairness


def build(recipe: Recipe) -> Bundle:
    """Check and compile. Raises `StrategyRefused`."""
    documents = {Stage(stage): msgspec.json.decode(text) for stage, text in recipe.strategies.items()}
    card = cards.read(recipe.card.encode())
    catalogue = facts.Catalogue(recipe.catalogue.encode())
    return bundle.build(
        documents,
        card,
        catalogue=catalogue,
        library=recipes.library(recipe, catalogue),
        overlays={Stage(stage): msgspec.json.decode(text) for stage, text in recipe.overlays.items()},
        price_band=recipe.price_band,
        keep=False,
    )


class Compiled:
    """One side's bundles, each compiled when its first case comes."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._built: dict[int, Bundle] = {}

    def at(self, institution: str, product: str) -> Bundle:
        return self.numbered(self._rules.number_at(institution, product))

    def numbered(self, number: int) -> Bundle:
        """Raises `StrategyRefused`."""
        if number not in self._built:
            self._built[number] = build(self._rules.recipe(number))
        return self._built[number]


MOST_CHECKED = 12
"""Bundles compiled before a trial starts; a county's layer that no longer compiles beyond them ends it as failed."""


def check(plan: Plan) -> None:
    """Whether it can be tried. Raises `StrategyRefused`."""
    for rules in (plan.draft, plan.base):
        if rules is None:
            continue
        if plan.stage:
            warnings.build(rules.recipe(0))
            continue
        compiled = Compiled(rules)
        for number in range(min(MOST_CHECKED, len(rules.recipes))):
            compiled.numbered(number)


class Judge:
    """The two sides, for one process."""

    def __init__(self, plan: Plan) -> None:
        if plan.stage:
            self._warning = warnings.build(plan.draft.recipe(0))
            self._other = None if plan.base is None else warnings.build(plan.base.recipe(0))
        self._draft = Compiled(plan.draft)
        self._base = None if plan.base is None else Compiled(plan.base)
        self._shelf, self._lgd = plan.shelf, plan.lgd_bp

    def county(self, frame: pl.DataFrame, county: str) -> Judged:
        """`frame` as `trials.service.county_facts` gives it: facts, groups, `household`, `defaulted`."""
        assert self._shelf is not None
        made = list(cases.of_frame(frame, self._shelf))
        drafts = [self._verdict(case, self._draft.at("", case.product)) for case in made]
        bases = None
        if self._base is not None:
            bases = [self._verdict(case, self._base.at("", case.product)) for case in made]
        groups = _grouped(frame, county).select(*_GROUPED)
        return Judged(_joined(groups, made, drafts, bases), self._fairness([""] * len(made), made, drafts))

    def warn(self, frame: pl.DataFrame, county: str) -> pl.DataFrame:
        """`frame` as `trials.service.county_signals` gives it; needs a plan of early warning."""
        return warnings.judge(_grouped(frame, county), self._warning, self._other)

    def history(self, stored: Iterable[tuple[str, str, bytes, str]]) -> Judged:
        """`stored`: (id, institution, capsule bytes, sex or ''). The base is what was decided then, unless the
        plan names another."""
        rows = list(stored)
        capsules = [msgspec.json.decode(capsule, type=Capsule) for _, _, capsule, _ in rows]
        made = [capsule.case for capsule in capsules]
        counties = [row[1] for row in rows]
        drafts = [
            self._verdict(case, self._draft.at(county, case.product))
            for county, case in zip(counties, made, strict=True)
        ]
        bases = [self._before(county, each) for county, each in zip(counties, capsules, strict=True)]
        groups = pl.DataFrame(
            {
                "case": [row[0] for row in rows],
                "county": counties,
                "month": [f"{clock.local(case.as_of):%Y-%m}" for case in made],
                "sex": [row[3] for row in rows],
                "occupation": [_fact(case, "application", "occupation") for case in made],
                "education": "",
                "town": "",
                "village": "",
                "defaulted": pl.Series([None] * len(rows), dtype=pl.Int8),
            }
        )
        return Judged(_joined(groups, made, drafts, bases), self._fairness(counties, made, drafts))

    def _before(self, county: str, capsule: Capsule) -> Verdict:
        case = capsule.case
        if self._base is not None:
            return self._verdict(case, self._base.at(county, case.product))
        # A stored decision does not keep its scale; that of today's card stands in for it.
        return self._told(capsule.decision, self._draft.at(county, case.product))

    def _verdict(self, case: Case, using: Bundle) -> Verdict:
        return self._told(evaluate.evaluate(case, using).decision, using)

    def _told(self, decision: Decision, using: Bundle) -> Verdict:
        amount = decision.amount_fen or 0
        chance = default_bp(decision.score, using.card.card.scale)
        return Verdict(
            outcome=str(decision.outcome),
            amount_fen=amount,
            annual_rate_bp=decision.annual_rate_bp or 0,
            loss_fen=amount * chance * self._lgd // 100_000_000,
            grade=decision.grade or "",
            reason=decision.reasons[0].code if decision.reasons else "",
        )

    def _fairness(self, counties: list[str], made: list[Case], drafts: list[Verdict]) -> Fairness:
        """The first approvals of a chunk again, each with a twin: other age, family, work; equal in all else."""
        found = Fairness()
        draw = random.Random(len(made))
        judged = zip(counties, made, drafts, strict=True)
        approved = [each for each in judged if each[2].outcome == Outcome.APPROVED]
        for county, case, verdict in approved[:_PAIRS_PER_CHUNK]:
            other = self._verdict(twin(case, draw), self._draft.at(county, case.product))
            if other.outcome != Outcome.APPROVED:
                continue  # a limit of age or the like spoke: no price to compare
            gap = abs(other.annual_rate_bp - verdict.annual_rate_bp)
            differs = gap > 0 or other.amount_fen != verdict.amount_fen
            found = Fairness(
                pairs=found.pairs + 1,
                differing=found.differing + differs,
                worst_gap_bp=max(found.worst_gap_bp, gap),
            )
        return found


_GROUPED = ("case", "county", "month", "sex", "occupation", "education", "town", "village", "defaulted")


def _grouped(frame: pl.DataFrame, county: str) -> pl.DataFrame:
    """The rows of a practice county with the groups they are reported by."""
    return frame.with_columns(
        pl.col("household").cast(pl.String).alias("case"),
        pl.lit(county).alias("county"),
        pl.lit("").alias("month"),  # all on the day the county's records are of
        pl.col("sex").replace_strict({"male": "男", "female": "女"}, default=""),
        pl.col("town_name").alias("town"),
        (pl.col("town_name") + pl.col("village_name")).alias("village"),
        pl.col("defaulted").cast(pl.Int8),
    )


def twin(case: Case, draw: random.Random) -> Case:
    """Somebody like the applicant in all that may price: born up to five years earlier or later, another family
    size, another occupation."""
    sources = dict(case.sources)
    changes: dict[str, dict[str, Any]] = {
        "application": {"occupation": draw.choice(("farmer", "worker", "business_owner", "public_employee"))},
        "data_platform": {"household_members": draw.randint(1, 8)},
    }
    born = str(_fact(case, "application", "birth_on"))
    if len(born) == 10:
        changes["application"]["birth_on"] = f"{int(born[:4]) + draw.randint(-5, 5):04d}-{born[5:7]}-15"
    for source, changed in changes.items():
        if source in sources:
            held = sources[source]
            sources[source] = msgspec.structs.replace(held, facts={**held.facts, **changed})
    return msgspec.structs.replace(case, sources=sources)


def default_bp(score: int | None, scale: dict[str, int]) -> int:
    """Chance of default in basis points by the score's scale: odds of good double every `points_to_double`."""
    if score is None:
        return 10_000
    odds: float = scale["odds"] * 2.0 ** ((score - scale["score"]) / scale["points_to_double"])
    return round(10_000 / (1 + odds))


def _fact(case: Case, source: str, name: str) -> Any:
    given = case.sources.get(source)
    return "" if given is None else given.facts.get(name) or ""


def age_band(case: Case) -> str:
    """'' when there is no usable birth date."""
    try:
        born = date.fromisoformat(str(_fact(case, "application", "birth_on")))
    except ValueError:
        return ""
    age = clock.years_between(born, clock.local(case.as_of).date())
    return next(label for below, label in _BANDS if age < below or below == _BANDS[-1][0])


def _joined(
    groups: pl.DataFrame, made: list[Case], drafts: list[Verdict], bases: list[Verdict] | None
) -> pl.DataFrame:
    columns = [
        groups,
        pl.DataFrame(
            {"product": [case.product for case in made], "age_band": [age_band(case) for case in made]}
        ),
        _columns("draft", drafts),
    ]
    if bases is not None:
        columns.append(_columns("base", bases))
    return pl.concat(columns, how="horizontal")


_FIELDS: dict[str, Any] = {
    "outcome": pl.String,
    "amount_fen": pl.Int64,
    "annual_rate_bp": pl.Int64,
    "loss_fen": pl.Int64,
    "grade": pl.String,
    "reason": pl.String,
}


def _columns(side: str, verdicts: list[Verdict]) -> pl.DataFrame:
    columns = {
        name: pl.Series([getattr(verdict, name) for verdict in verdicts], dtype=kind)
        for name, kind in _FIELDS.items()
    }
    return pl.DataFrame({f"{side}_{name}": column for name, column in columns.items()})
