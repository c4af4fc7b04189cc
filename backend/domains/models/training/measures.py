"""What a model is worth: discrimination with its uncertainty, calibration, lift, swap set, fairness (A3-37, D3-03).

Scores are high for good; `bad` is 0/1. Every function gives plain numbers ready for JSON.
"""

import math
from typing import Any

import numpy

from backend.domains.models import drift
from backend.domains.models.monitors import FAIR, FEWEST

Row = dict[str, Any]


def discrimination(scores: Any, bad: Any) -> Row:
    """AUC with its 95 % interval (DeLong), KS and where it lies, Gini."""
    auc, error = delong(scores, bad)
    cuts, goods, bads = curves(scores, bad)
    gap = bads - goods
    at = int(gap.argmax())
    return {
        "people": len(bad),
        "bad": int(bad.sum()),
        "auc": round(auc, 4),
        "auc_low": round(max(0.0, auc - 1.96 * error), 4),
        "auc_high": round(min(1.0, auc + 1.96 * error), 4),
        "gini": round(2 * auc - 1, 4),
        "ks": round(float(gap[at]), 4),
        "ks_score": float(cuts[at]),
    }


def delong(scores: Any, bad: Any) -> tuple[float, float]:
    """AUC and its standard error by DeLong's method, with midranks for ties."""
    from scipy.stats import rankdata

    below = -numpy.asarray(scores, dtype=float)
    bads, goods = below[bad == 1], below[bad == 0]
    m, n = len(bads), len(goods)
    ranks = rankdata(numpy.concatenate([bads, goods]))
    auc = (ranks[:m].sum() - m * (m + 1) / 2) / (m * n)
    of_bad = (ranks[:m] - rankdata(bads)) / n
    of_good = 1 - (ranks[m:] - rankdata(goods)) / m
    return float(auc), float(math.sqrt(of_bad.var(ddof=1) / m + of_good.var(ddof=1) / n))


def curves(scores: Any, bad: Any) -> tuple[Any, Any, Any]:
    """Distinct scores rising, and the shares of the good and of the bad at or below each."""
    cuts, at = numpy.unique(scores, return_inverse=True)
    bads = numpy.cumsum(numpy.bincount(at, weights=bad)) / bad.sum()
    goods = numpy.cumsum(numpy.bincount(at, weights=1 - bad)) / (len(bad) - bad.sum())
    return cuts, goods, bads


def cumulative(scores: Any, bad: Any, most: int = 80) -> Row:
    """`curves` at no more than `most` scores and one, among them the first, the last and that of KS."""
    cuts, goods, bads = curves(scores, bad)
    at = numpy.unique([*numpy.linspace(0, len(cuts) - 1, most).astype(int), (bads - goods).argmax()])
    told = {"score": cuts[at].astype(float), "good": goods[at].round(4), "bad": bads[at].round(4)}
    return {name: values.tolist() for name, values in told.items()}


def spread(scores: Any, bad: Any, bars: int = 30) -> Row:
    """Shares of the good and of the bad in equal bands of the score."""
    edges = numpy.histogram_bin_edges(scores, bins=bars)
    shares = {}
    for flag, name in ((0, "good"), (1, "bad")):
        counts = numpy.histogram(scores[bad == flag], bins=edges)[0]
        shares[name] = (counts / max(1, counts.sum())).round(4).tolist()
    return {"edges": edges.round(2).tolist(), **shares}


def calibration(chance: Any, bad: Any) -> dict[str, Any]:
    """Ten bands of the chance foreseen against what came, with Wilson's 95 % interval; Brier score."""
    order = numpy.argsort(chance, kind="stable")
    bands = []
    for part in numpy.array_split(order, 10):
        low, high = wilson(int(bad[part].sum()), len(part))
        bands.append(
            {
                "people": len(part),
                "foreseen": round(float(chance[part].mean()), 4),
                "came": round(float(bad[part].mean()), 4),
                "low": round(low, 4),
                "high": round(high, 4),
            }
        )
    inside = sum(band["low"] <= band["foreseen"] <= band["high"] for band in bands)
    return {"bands": bands, "inside": inside, "brier": round(float(((chance - bad) ** 2).mean()), 5)}


def wilson(hits: int, people: int) -> tuple[float, float]:
    """95 % interval of a share."""
    if not people:
        return 0.0, 1.0
    z, p = 1.96, hits / people
    middle, half = p + z * z / (2 * people), z * math.sqrt(p * (1 - p) / people + z * z / (4 * people**2))
    return (middle - half) / (1 + z * z / people), (middle + half) / (1 + z * z / people)


def lift(scores: Any, bad: Any) -> list[Row]:
    """Tenths from the lowest score up: bad rate, how many times the average, share of all bad so far."""
    order = numpy.argsort(scores, kind="stable")
    base, total, seen, rows = float(bad.mean()), int(bad.sum()), 0, []
    for number, part in enumerate(numpy.array_split(order, 10), 1):
        seen += int(bad[part].sum())
        rate = float(bad[part].mean())
        rows.append(
            {
                "tenth": number,
                "from": int(scores[part].min()),
                "to": int(scores[part].max()),
                "people": len(part),
                "bad_rate": round(rate, 4),
                "lift": round(rate / base, 2),
                "gain": round(seen / total, 4),
            }
        )
    return rows


def cut_offs(scores: Any, bad: Any) -> list[Row]:
    """What every cut-off from mild to strict would let in: approval rate, bad rate of the approved, bad kept out.

    `false_alarms` is the share of those below it who stayed good: what a model that warns is judged by (A6-06).
    """
    rows = []
    for share in (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4, 0.3):
        score = int(numpy.quantile(scores, 1 - share, method="lower"))
        passed = scores >= score
        rows.append(
            {
                "cut_off": score,
                "approved": round(float(passed.mean()), 4),
                "bad_rate": round(float(bad[passed].mean()), 4),
                "bad_kept_out": round(float(bad[~passed].sum() / bad.sum()), 4),
                "false_alarms": round(float(1 - bad[~passed].mean()), 4) if (~passed).any() else 0.0,
            }
        )
    return rows


def psi(codes: Any, fit: Any, held: Any) -> Row:
    """Drift of a coded column or score from training to test."""
    length = int(codes.max()) + 1
    found = drift.drift(
        numpy.bincount(codes[fit], minlength=length).tolist(),
        numpy.bincount(codes[held], minlength=length).tolist(),
    )
    return {"psi": round(found.psi, 4), "level": found.level, "rule": found.rule}


def score_codes(scores: Any, fit: Any) -> Any:
    """Tenths of the training scores."""
    edges = numpy.unique(numpy.quantile(scores[fit], [i / 10 for i in range(1, 10)]))
    return numpy.searchsorted(edges, scores, side="right")


def swap_set(new: Any, old: Any, bad: Any, approved: float) -> Row:
    """Who would change sides if the new model took over at the same approval rate (A3-37)."""
    new_in = _at_rate(new, approved)
    old_in = _at_rate(old, approved)
    cells = {}
    for name, inside in (
        ("both", new_in & old_in),
        ("swapped_in", new_in & ~old_in),
        ("swapped_out", ~new_in & old_in),
        ("neither", ~new_in & ~old_in),
    ):
        rate = round(float(bad[inside].mean()), 4) if inside.any() else None
        cells[name] = {"people": int(inside.sum()), "bad_rate": rate}
    return cells | {"approved": approved}


def _at_rate(scores: Any, approved: float) -> Any:
    """Exactly this share, best first; equal scores by row, so that both models let in as many."""
    inside = numpy.zeros(len(scores), dtype=bool)
    inside[numpy.argsort(-scores, kind="stable")[: round(len(scores) * approved)]] = True
    return inside


def fairness(scores: Any, bad: Any, groups: Any, cut_off: int) -> list[Row]:
    """Approval of each group at the cut-off over that of the largest; judged within 0.8–1.25 (trust.md §3).

    The bad rate that came stands beside it, so that a reader sees whether a difference has a credit reason.
    """
    names, counts = numpy.unique(groups.astype(str), return_counts=True)
    reference = names[counts.argmax()]
    passed = scores >= cut_off
    base = float(passed[groups == reference].mean())
    rows = []
    for name, count in sorted(zip(names, counts, strict=True), key=lambda each: _place(str(each[0]))):
        inside = groups == name
        share = float(passed[inside].mean())
        ratio = share / base if base else None
        verdict = "too_few" if count < FEWEST else "fair"
        if verdict == "fair" and (ratio is None or not FAIR[0] <= ratio <= FAIR[1]):
            verdict = "review"
        rows.append(
            {
                "group": str(name),
                "people": int(count),
                "approved": round(share, 4),
                "ratio": None if ratio is None else round(ratio, 3),
                "bad_rate": round(float(bad[inside].mean()), 4),
                "reference": bool(name == reference),
                "verdict": verdict,
            }
        )
    return rows


def _place(name: str) -> tuple[int, str]:
    """Bands of numbers in their order (≤a, a–b, >b); words as they are."""
    return {"≤": 0, ">": 2}.get(name[:1], 1), name


def stability(scores: Any, bad: Any, period: Any, fit: Any) -> list[Row]:
    """Per period, oldest first: cases, bad rate, mean score, AUC, PSI of the score against training."""
    codes = score_codes(scores, fit)
    length = int(codes.max()) + 1
    expected = numpy.bincount(codes[fit], minlength=length).tolist()
    rows = []
    for name in _coarse(period):
        inside = numpy.array([str(each).startswith(name) for each in period])
        both = 0 < bad[inside].sum() < inside.sum()
        moved = drift.drift(expected, numpy.bincount(codes[inside], minlength=length).tolist())
        rows.append(
            {
                "period": name,
                "people": int(inside.sum()),
                "bad_rate": round(float(bad[inside].mean()), 4),
                "mean_score": round(float(scores[inside].mean()), 1),
                "auc": round(delong(scores[inside], bad[inside])[0], 4)
                if both and bad[inside].sum() > 9
                else None,
                "psi": round(moved.psi, 4),
                "level": moved.level,
            }
        )
    return rows


def _coarse(period: Any) -> list[str]:
    """Beginnings that give at most 36 periods: days become months, months years."""
    words = sorted({str(each) for each in period})
    for length in (10, 7, 6, 4):
        shorter = sorted({word[:length].rstrip("-/.") for word in words})
        if len(shorter) <= 36:
            return shorter
    return sorted({word[:4] for word in words})[-36:]
