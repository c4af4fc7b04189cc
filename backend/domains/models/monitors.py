"""From counts to figures with a level: drift, discrimination, rates, fairness (D1-05, D3-03, trust.md §3).

Pure. Whoever has the counts (`flows/watch_models.py`) keeps the results and raises the alarms.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from backend.domains.models import drift
from backend.domains.models.model import Result

FAIR = (0.8, 1.25)
FEWEST = 50
"""A group of fewer people is shown but not judged."""
FEWEST_BAD = 30
KS_NOTICE, KS_MOVED = 0.8, 0.6
"""Share of the KS at validation below which discrimination is worth a look, and below which it is lost."""
Z_NOTICE, Z_MOVED = 2.58, 3.29

Shares = Mapping[str, tuple[int, int]]
"""Group → (hits, people)."""


def psi(
    model_hash: str, measure: str, subject: str, expected: Sequence[int], actual: Sequence[int]
) -> Result:
    """Drift of the score (psi) or of a feature (csi)."""
    found = drift.drift(expected, actual)
    finite = [each for each in found.cut_offs if math.isfinite(each)]
    return Result(
        model_hash=model_hash,
        measure=measure,
        subject=subject,
        value=None if found.level == drift.TOO_FEW else round(found.psi, 5),
        level=found.level,
        cases=sum(actual),
        details={"rule": found.rule, "cut_offs": finite, "expected": list(expected), "actual": list(actual)},
    )


def ks(model_hash: str, scores: Sequence[int], bad: Sequence[int], reference: float) -> Result:
    """Discrimination on cases whose end is known, against that at validation."""
    bads = sum(bad)
    found = drift.auc_ks(scores, bad) if min(bads, len(bad) - bads) >= FEWEST_BAD else None
    level = drift.TOO_FEW
    if found is not None:
        share = found[1] / reference if reference else 1.0
        level = drift.MOVED if share < KS_MOVED else drift.NOTICE if share < KS_NOTICE else drift.STEADY
    return Result(
        model_hash=model_hash,
        measure="ks",
        subject="",
        value=None if found is None else round(found[1], 4),
        level=level,
        cases=len(bad),
        details={"bad": bads, "reference": reference, "auc": None if found is None else round(found[0], 4)},
    )


def rates(model_hash: str, measure: str, shares: Shares) -> list[Result]:
    """A rate per group (officer, county) against all others together, by a test of two proportions; no verdict where
    either side is too few."""
    hits, people = (sum(pair[at] for pair in shares.values()) for at in (0, 1))
    return [
        _rate(model_hash, measure, group, own, (hits - own[0], people - own[1]))
        for group, own in sorted(shares.items())
    ]


def _rate(model_hash: str, measure: str, group: str, own: tuple[int, int], rest: tuple[int, int]) -> Result:
    level, z = drift.TOO_FEW, 0.0
    if own[1] >= FEWEST and rest[1] >= FEWEST:
        pooled = (own[0] + rest[0]) / (own[1] + rest[1])
        spread = math.sqrt(pooled * (1 - pooled) * (1 / own[1] + 1 / rest[1]))
        z = (own[0] / own[1] - rest[0] / rest[1]) / spread if spread else 0.0
        level = drift.MOVED if abs(z) >= Z_MOVED else drift.NOTICE if abs(z) >= Z_NOTICE else drift.STEADY
    return Result(
        model_hash=model_hash,
        measure=measure,
        subject=group,
        value=round(own[0] / own[1], 4) if own[1] else None,
        level=level,
        cases=own[1],
        details={
            "hits": own[0],
            "others": round(rest[0] / rest[1], 4) if rest[1] else None,
            "z": round(z, 2),
        },
    )


def fairness(model_hash: str, dimension: str, approvals: Shares) -> list[Result]:
    """Approval of each group over that of the largest; outside 0.8–1.25 is a task for a person. Where the largest has
    no approval at all there is no ratio, and anybody's is outside; of a group alone there is nothing to say."""
    if len(approvals) < 2:
        return []
    reference = max(sorted(approvals), key=lambda group: approvals[group][1])
    hits, people = approvals[reference]
    base = hits / people if people else 0.0
    found = []
    for group, (own, count) in sorted(approvals.items()):
        ratio = own / count / base if count and base else None
        level = drift.STEADY
        if count < FEWEST or people < FEWEST:
            level = drift.TOO_FEW
        elif own if ratio is None else not FAIR[0] <= ratio <= FAIR[1]:
            level = drift.MOVED
        found.append(
            Result(
                model_hash=model_hash,
                measure="fairness",
                subject=f"{dimension}：{group}",
                value=None if ratio is None else round(ratio, 4),
                level=level,
                cases=count,
                details={"approved": own, "reference": reference, "band": list(FAIR)},
            )
        )
    return found


def totals(rows: Iterable[tuple[str, bool, int]]) -> dict[str, tuple[int, int]]:
    """(group, hit, cases) rows added up to group → (hits, people)."""
    found: dict[str, tuple[int, int]] = {}
    for group, hit, cases in rows:
        hits, people = found.get(group, (0, 0))
        found[group] = hits + (cases if hit else 0), people + cases
    return found
