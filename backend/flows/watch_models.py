"""The monitors of every model that decides: drift, discrimination, rates and fairness, once a day (D1-05, D3-03).

The union's figures stand under its own number, a county's under the county's. What is not steady raises an alarm
with an owner; fairness outside 0.8–1.25 is such an alarm and waits for a person like any other.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import msgspec
import structlog

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.core.errors import Unavailable
from backend.domains.institutions.model import UNION
from backend.domains.models import monitors, watching
from backend.domains.models.model import Result
from backend.domains.regulation import service as regulation
from backend.flows.context import Context
from backend.overview import model_monitors
from backend.overview.model_monitors import Verdicts

log = structlog.get_logger("models")

WINDOW = timedelta(days=90)
BAD_AFTER = "loans.bad_after_days"
"""Days past due from which a loan counts as bad."""


class Counts(msgspec.Struct, frozen=True):
    """Everything counted about one model, over all counties."""

    scores: list[tuple[str, int, int]]
    bins: list[tuple[str, str, int, int]]
    verdicts: list[Verdicts]
    matured: list[tuple[str, int, int]]


async def watch_models(context: Context) -> int:
    """Measure and keep; returns the number of alarms raised or still standing. The same day's run replaces it."""
    today, sounded = clock.today(), 0
    async with context.db.read(everywhere("models")) as tx:
        watched = await watching.watched(tx)
        bad_after = (await regulation.in_force(tx, today)).count(BAD_AFTER)
    for model in watched:
        try:
            sounded += await _watch(context, model, today, bad_after)
        except Unavailable:
            raise
        except Exception as bug:  # one model's trouble is not the others'
            log.error(
                "a model could not be watched", model=model.artefact, error=type(bug).__name__, exc_info=True
            )
    return sounded


async def _watch(context: Context, model: watching.Watched, today: date, bad_after: int) -> int:
    since, edges, sounded = clock.now() - WINDOW, model.reference["score"]["edges"], 0
    async with context.db.read(everywhere("models")) as tx:
        counts = Counts(
            await model_monitors.score_counts(tx, model.artefact, since, edges),
            await watching.feature_counts(tx, model.artefact, since),
            await model_monitors.verdicts(tx, model.artefact, since, today),
            await model_monitors.matured(tx, model.artefact, today, bad_after),
        )
    for institution_id, results in _by_institution(model, counts).items():
        owner = model.owner if institution_id == UNION else watching.ANALYST
        async with context.db.begin(system(institution_id, "models")) as tx:
            sounded += await watching.keep(tx, today, results, owner)
    return sounded


def _by_institution(model: watching.Watched, counts: Counts) -> dict[str, list[Result]]:
    """The union's results and each county's; nothing for a model nobody was decided by."""
    if not counts.verdicts and not counts.scores:
        return {}
    found = {UNION: _of_union(model, counts)}
    counties = {row.institution_id for row in counts.verdicts} | {row[0] for row in counts.scores}
    for county in sorted(counties):
        mine = [row for row in counts.verdicts if row.institution_id == county]
        scores = [(bin_, cases) for at, bin_, cases in counts.scores if at == county]
        found[county] = [
            _psi(model, scores),
            *monitors.rates(model.artefact, "approval", _approved(mine, lambda row: row.officer)),
            *monitors.rates(model.artefact, "override", _overridden(mine, lambda row: row.officer)),
        ]
    return found


def _of_union(model: watching.Watched, counts: Counts) -> list[Result]:
    hash_ = model.artefact
    dimensions: tuple[tuple[str, Callable[[Verdicts], str]], ...] = (
        ("性别", lambda row: row.sex),
        ("年龄", lambda row: row.age_band),
        ("县", lambda row: row.institution_id),
    )
    found = [_psi(model, [(bin_, cases) for _, bin_, cases in counts.scores]), *_csi(model, counts)]
    ends = [(score, bad) for _, score, bad in counts.matured]
    found.append(monitors.ks(hash_, [s for s, _ in ends], [b for _, b in ends], model.ks))
    found += monitors.rates(hash_, "approval", _approved(counts.verdicts, lambda row: row.institution_id))
    found += monitors.rates(hash_, "override", _overridden(counts.verdicts, lambda row: row.institution_id))
    for dimension, key in dimensions:
        found += monitors.fairness(hash_, dimension, _approved(counts.verdicts, key))
    return found


def _psi(model: watching.Watched, scores: Iterable[tuple[int, int]]) -> Result:
    return _moved(model, "psi", "", model.reference["score"]["counts"], scores)


def _csi(model: watching.Watched, counts: Counts) -> list[Result]:
    return [
        _moved(model, "csi", name, each["counts"], [(b, n) for _, f, b, n in counts.bins if f == name])
        for name, each in model.reference.get("features", {}).items()
    ]


def _moved(
    model: watching.Watched, measure: str, subject: str, expected: list[int], found: Iterable[tuple[int, int]]
) -> Result:
    actual = [0] * len(expected)
    for bin_, cases in found:
        actual[min(max(bin_, 0), len(actual) - 1)] += cases
    return monitors.psi(model.artefact, measure, subject, expected, actual)


def _approved(rows: Iterable[Verdicts], key: Callable[[Verdicts], str]) -> monitors.Shares:
    """Rows whose group is not known are left out."""
    return monitors.totals((key(row), row.approved, row.cases) for row in rows if key(row))


def _overridden(rows: Iterable[Verdicts], key: Callable[[Verdicts], str]) -> monitors.Shares:
    """Of the cases a person decided."""
    return monitors.totals(
        (key(row), row.overridden, row.cases) for row in rows if key(row) and row.seen_by_person
    )
