"""Has a distribution moved? PSI with the sample-size rule of trust.md §3 (A3-37, N14). Pure, no heavy library.

The bands 0.10 and 0.25 mean something only for windows of 500 cases and more: at 50 cases PSI is above 0.10 four
times out of five though nothing moved. Below 500 a χ² cut-off takes their place: without drift
PSI / (1/n + 1/m) follows χ² with (bins - 1) degrees of freedom.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import msgspec

ENOUGH = 500
WATCH, ACT = 0.10, 0.25
WATCH_P, ACT_P = 0.99, 0.999

STEADY, NOTICE, MOVED, TOO_FEW = "steady", "notice", "moved", "too_few"
LEVELS = {STEADY: "平稳", NOTICE: "要留意", MOVED: "明显偏移", TOO_FEW: "样本太少"}
FEWEST = 30
"""Below this even the χ² rule says nothing."""


class Drift(msgspec.Struct, frozen=True):
    """`rule`: bands or chi_square; `cut_offs` are the PSI values from which it is notice and moved."""

    psi: float
    level: str
    rule: str
    cases: int
    cut_offs: tuple[float, float]


def drift(expected: Sequence[int], actual: Sequence[int]) -> Drift:
    """Counts per bin, then and now. Half a case is added to every bin, so that an empty one stays finite."""
    n, m = sum(expected), sum(actual)
    cases = min(n, m)
    bins = sum(1 for each, other in zip(expected, actual, strict=True) if each or other)
    if cases < FEWEST or bins < 2:
        return Drift(0.0, TOO_FEW if cases < FEWEST else STEADY, "none", cases, (math.inf, math.inf))
    psi = 0.0
    for each, other in zip(expected, actual, strict=True):
        if not each and not other:
            continue
        was, now = (each + 0.5) / (n + bins / 2), (other + 0.5) / (m + bins / 2)
        psi += (now - was) * math.log(now / was)
    if cases >= ENOUGH:
        cut_offs, rule = (WATCH, ACT), "bands"
    else:
        spread = 1 / n + 1 / m
        cut_offs = (
            max(WATCH, chi_square(WATCH_P, bins - 1) * spread),
            max(ACT, chi_square(ACT_P, bins - 1) * spread),
        )
        rule = "chi_square"
    level = MOVED if psi >= cut_offs[1] else NOTICE if psi >= cut_offs[0] else STEADY
    return Drift(psi, level, rule, cases, cut_offs)


def chi_square(p: float, freedom: int) -> float:
    """Quantile of χ² by Wilson and Hilferty, exact for one degree of freedom, within 2.5 % above."""
    if freedom == 1:
        return NormalDist().inv_cdf((1 + p) / 2) ** 2
    z = NormalDist().inv_cdf(p)
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + z * math.sqrt(part)) ** 3)


def auc_ks(scores: Sequence[float], bad: Sequence[int]) -> tuple[float, float] | None:
    """AUC and KS of scores where high is good; None without both kinds. KS is how far the bad run ahead of the good
    from the lowest score up: 0 for scores that rank the wrong way round."""
    pairs = sorted(zip(scores, bad, strict=True))
    bads = sum(bad)
    goods = len(pairs) - bads
    if not bads or not goods:
        return None
    seen_bad = seen_good = 0
    area = gap = 0.0
    at = 0
    while at < len(pairs):
        end, here = at, 0
        while end < len(pairs) and pairs[end][0] == pairs[at][0]:
            here += pairs[end][1]
            end += 1
        good_here = end - at - here
        area += good_here * (seen_bad + here / 2)
        seen_bad, seen_good = seen_bad + here, seen_good + good_here
        gap = max(gap, seen_bad / bads - seen_good / goods)
        at = end
    return area / (bads * goods), gap
