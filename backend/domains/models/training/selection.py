"""Which columns enter a scorecard: forward by information value, each step held to four conditions (A3-37).

A column enters when it is not a twin of one inside (correlation of WOE), does not blow up the variance (VIF), and
with it every column keeps the right sign and is significant; one that no longer is leaves again.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy

from backend.domains.models.training.binning import Bins
from backend.domains.models.training.options import TableUnfit

MIN_IV, MOST_CORRELATION, MOST_VIF, MOST_P, MOST_COLUMNS = 0.02, 0.8, 5.0, 0.05, 20


class Fitted(msgspec.Struct, frozen=True):
    """Log odds of bad = intercept + weights · WOE; `p` by name; `steps` tell the selection in Chinese."""

    names: list[str]
    intercept: float
    weights: list[float]
    p: list[float]
    vif: list[float]
    steps: list[dict[str, str | float]]


def select(bins: dict[str, Bins], woe: dict[str, Any], bad: Any, tell: Callable[[str], None]) -> Fitted:
    """`woe` holds the training rows. Raises `TableUnfit` when nothing predicts."""
    ordered = sorted(bins, key=lambda name: (-bins[name].iv, name))
    steps: list[dict[str, str | float]] = []
    inside: list[str] = []
    for name in ordered:
        why = _refusal(name, bins[name].iv, inside, woe, bad)
        if not why:
            tell(f"选入 {name}")
            inside.append(name)
        steps.append({"column": name, "iv": round(bins[name].iv, 4), "result": why or "选入"})
    if not inside:
        raise TableUnfit(why="没有一列能区分好坏")
    while True:
        intercept, weights, p = logistic(_matrix(inside, woe), bad)
        weak = [at for at in range(len(inside)) if weights[at] >= 0 or p[at] > MOST_P]
        if not weak or len(inside) == 1:
            break
        out = max(weak, key=lambda at: p[at] + (1 if weights[at] >= 0 else 0))
        steps.append(
            {"column": inside[out], "iv": round(bins[inside[out]].iv, 4), "result": "后来不再显著，退出"}
        )
        del inside[out]
    if weights[0] >= 0:
        raise TableUnfit(why="没有一列能区分好坏")
    vif = vifs(_matrix(inside, woe))
    return Fitted(inside, intercept, [float(w) for w in weights], [float(each) for each in p], vif, steps)


def _refusal(name: str, iv: float, inside: list[str], woe: dict[str, Any], bad: Any) -> str:
    if iv < MIN_IV:
        return f"信息值不到 {MIN_IV}"
    if len(inside) >= MOST_COLUMNS:
        return f"已有 {MOST_COLUMNS} 项"
    for other in inside:
        together = abs(float(numpy.corrcoef(woe[name], woe[other])[0, 1]))
        if together > MOST_CORRELATION:
            return f"和 {other} 几乎一样（相关 {together:.2f}）"
    matrix = _matrix([*inside, name], woe)
    if inside and max(vifs(matrix)) > MOST_VIF:
        return "和已选各项重复（VIF 太高）"
    _, weights, p = logistic(matrix, bad)
    if weights[-1] >= 0:
        return "方向反了"
    if p[-1] > MOST_P:
        return f"不显著（p={p[-1]:.2f}）"
    return ""


def _matrix(names: list[str], woe: dict[str, Any]) -> Any:
    return numpy.column_stack([woe[name] for name in names])


def logistic(x: Any, bad: Any) -> tuple[float, Any, Any]:
    """Newton's method without a penalty worth naming: intercept, weights and their two-sided p (Wald)."""
    from scipy.stats import norm

    table = numpy.column_stack([numpy.ones(len(x)), x])
    beta = numpy.zeros(table.shape[1])
    ridge = numpy.eye(table.shape[1]) * 1e-6
    for _ in range(50):
        chance = 1 / (1 + numpy.exp(-numpy.clip(table @ beta, -35, 35)))
        weight = chance * (1 - chance)
        hessian = (table * weight[:, None]).T @ table + ridge
        step = numpy.linalg.solve(hessian, table.T @ (bad - chance) - ridge @ beta)
        beta = beta + step
        if float(numpy.abs(step).max()) < 1e-9:
            break
    error = numpy.sqrt(numpy.diag(numpy.linalg.inv(hessian)))
    return float(beta[0]), beta[1:], 2 * norm.sf(numpy.abs(beta[1:] / error[1:]))


def vifs(x: Any) -> list[float]:
    """Variance inflation per column, from the inverse of the correlation matrix."""
    if x.shape[1] == 1:
        return [1.0]
    together = numpy.corrcoef(x, rowvar=False) + numpy.eye(x.shape[1]) * 1e-9
    return [float(each) for each in numpy.diag(numpy.linalg.inv(together))]
