"""County offsets by shrinkage (N14): one provincial model, and per county as much difference as its data can prove.

Empirical Bayes. A county's own offset δ is the shift of the log odds of bad that makes its foreseen bad cases equal
those that came (maximum likelihood, with standard error s). The spread τ² of the true offsets between counties
is estimated from all of them (DerSimonian and Laird); the county's offset is then shrunk to
δ·τ²/(τ² + s²), with standard error √(τ²s²/(τ² + s²)). A county whose shrunk offset is within two of its standard
errors of zero is told "数据不足，暂看不出差异" and gets none. Pure, no heavy library.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

NOT_ENOUGH = "数据不足，暂看不出差异"
Z = 1.96
MOST_POINTS = 40
"""No county is moved further than this: a bigger difference is a question for a modeller, not for an offset."""


class County(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`offset` (log odds of bad) and `error` are the shrunk ones; `points` are added to the score, 0 unless
    `enough`."""

    county: str
    cases: int
    bad: int
    foreseen: float
    offset: float
    error: float
    points: int
    enough: bool

    @property
    def told(self) -> str:
        if not self.enough:
            return NOT_ENOUGH
        return f"比全省{'多' if self.points >= 0 else '少'}给 {abs(self.points)} 分"


class CountyModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model and its offsets as one artefact, so that they are reviewed, hashed and retired together. `column`
    names the county in a table; `spread` is τ."""

    kind: Literal["county_model"]
    format: int
    column: str
    model: dict[str, Any]
    spread: float
    counties: list[County]

    @property
    def scale(self) -> dict[str, int]:
        return dict(self.model["scale"])


def estimate(
    chances: Mapping[str, Sequence[float]], bad: Mapping[str, Sequence[int]], factor: float
) -> tuple[float, list[County]]:
    """(τ, offsets by county) from the provincial model's chances of bad and what came; `factor`: points per unit
    of log odds."""
    own = {name: _own(chances[name], bad[name]) for name in sorted(chances) if chances[name]}
    spread = _spread(list(own.values()))
    counties = []
    for name, (delta, variance) in own.items():
        shrunk = delta * spread / (spread + variance) if spread else 0.0
        error = math.sqrt(spread * variance / (spread + variance)) if spread else 0.0
        enough = bool(spread) and abs(shrunk) > Z * error
        points = max(-MOST_POINTS, min(MOST_POINTS, round(-factor * shrunk))) if enough else 0
        counties.append(
            County(
                county=name,
                cases=len(chances[name]),
                bad=sum(bad[name]),
                foreseen=round(math.fsum(chances[name]), 3),
                offset=round(shrunk, 6),
                error=round(error, 6),
                points=points,
                enough=enough,
            )
        )
    return math.sqrt(spread), counties


def _own(chances: Sequence[float], bad: Sequence[int]) -> tuple[float, float]:
    """Maximum likelihood offset and its variance; half a case on either side keeps a county without a bad case
    finite."""
    odds = [math.log(p / (1 - p)) for p in (min(max(p, 1e-9), 1 - 1e-9) for p in chances)]
    came = min(max(sum(bad), 0.5), len(bad) - 0.5)
    delta, weight = 0.0, 1.0
    for _ in range(50):
        moved = [1 / (1 + math.exp(-(each + delta))) for each in odds]
        weight = math.fsum(p * (1 - p) for p in moved)
        step = max(-1.0, min(1.0, (came - math.fsum(moved)) / max(weight, 1e-9)))
        delta += step
        if abs(step) < 1e-9:
            break
    return delta, 1 / max(weight, 1e-9)


def _spread(own: Sequence[tuple[float, float]]) -> float:
    """τ² between counties, 0 when they differ no more than chance."""
    if len(own) < 2:
        return 0.0
    weights = [1 / variance for _, variance in own]
    total = math.fsum(weights)
    mean = math.fsum(w * d for w, (d, _) in zip(weights, own, strict=True)) / total
    heterogeneity = math.fsum(w * (d - mean) ** 2 for w, (d, _) in zip(weights, own, strict=True))
    scale = total - math.fsum(w * w for w in weights) / total
    return max(0.0, (heterogeneity - (len(own) - 1)) / scale)
