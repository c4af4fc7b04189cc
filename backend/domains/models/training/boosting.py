"""Gradient-boosted trees with monotone constraints, exported to ONNX and held to the original (A3-32).

Fitted on float32 values, as the graph sees them; the graph is accepted only when it agrees with scikit-learn
within 1e-5 on every row. Nothing of scikit-learn is stored.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import numpy

from backend.domains.decision import trees
from backend.domains.decision.scorecard import ASCENDING
from backend.domains.models.training.cards import scale, scale_of, trained_on
from backend.domains.models.training.options import Options, TableUnfit
from backend.domains.models.training.tables import NUMBER, Column, Split, Table

AGREEMENT = 1e-5


class Boosted(msgspec.Struct, frozen=True):
    """`difference`: largest distance between graph and original, in log odds."""

    model: trees.Trees
    onnx: bytes
    difference: float
    rounds: int


def train(table: Table, split: Split, options: Options, tell: Callable[[str], None]) -> Boosted:
    """Deterministic for equal table, split and options. Raises `TableUnfit`."""
    import threadpoolctl
    from sklearn.ensemble import HistGradientBoostingClassifier

    features = [_feature(column, split.fit, table.bad, options) for column in table.columns.values()]
    x = numpy.column_stack([trees.encode_frame(each, table.frame[each.name]) for each in features]).astype(
        numpy.float32
    )
    fitted = HistGradientBoostingClassifier(
        max_iter=200,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=max(20, len(split.fit) // 200),
        l2_regularization=1.0,
        # The trees give the chance of being bad, which falls where points rise.
        monotonic_cst=[{"ascending": -1, "descending": 1}.get(each.trend, 0) for each in features],
        early_stopping=True,
        validation_fraction=0.15,
        n_iter_no_change=15,
        random_state=options.seed % 2**32,
    )
    tell("生长树")
    with threadpoolctl.threadpool_limits(1):  # sums in one order; and more threads fight on a busy machine
        fitted.fit(x[split.fit], table.bad[split.fit])
        original = fitted.decision_function(x)
    if fitted.n_iter_ == 0 or float(numpy.ptp(original)) == 0:
        raise TableUnfit(why="没有一列能区分好坏")
    tell("导出 ONNX")
    graph = _export(fitted, len(features))
    model = _model(table, features, graph, options)
    served = trees.CompiledTrees(model)
    difference = float(numpy.abs(served.log_odds(x) - original).max())
    if difference > AGREEMENT:
        raise TableUnfit(why=f"导出的模型和原模型相差 {difference:.1e}，超过 {AGREEMENT:g}")
    return Boosted(model, graph, difference, int(fitted.n_iter_))


def _export(fitted: Any, width: int) -> bytes:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    graph = to_onnx(
        fitted,
        initial_types=[("x", FloatTensorType([None, width]))],
        options={id(fitted): {"zipmap": False, "raw_scores": True}},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    graph.graph.name = "xiaodai"  # otherwise random, and the hash with it
    return bytes(graph.SerializeToString(deterministic=True))


def _feature(column: Column, rows: Any, bad: Any, options: Options) -> trees.TreeFeature:
    values = column.values[rows]
    trend = options.monotone.get(column.name, "")
    if column.kind != NUMBER:
        order = _categories(values, bad[rows])
        missing = any(word is None for word in values)
        return trees.TreeFeature(
            name=column.name, trend="", best=0, worst=max(order.values(), default=0), typical=0,
            categories=order, missing_seen=missing,
        )  # fmt: skip
    seen = values[~numpy.isnan(values) & ~numpy.isin(values, options.special)].astype(numpy.float32)
    if not len(seen):
        seen = numpy.zeros(1, dtype=numpy.float32)
    low, high = float(seen.min()), float(seen.max())
    best, worst = (high, low) if trend == ASCENDING else (low, high)
    return trees.TreeFeature(
        name=column.name,
        trend=trend,
        best=best,
        worst=worst,
        typical=float(numpy.quantile(seen, 0.5, method="lower")),
        special=list(options.special),
        missing_seen=bool(numpy.isnan(values).any() or numpy.isin(values, options.special).any()),
    )


def _categories(words: Any, bad: Any) -> dict[str, int]:
    """Numbers in the order of the smoothed bad rate in training, best first."""
    base = float(bad.mean())
    rates = {}
    for word in sorted({word for word in words if word is not None}):
        inside = bad[words == word]
        rates[str(word)] = (float(inside.sum()) + 20 * base) / (len(inside) + 20)
    return {word: at for at, word in enumerate(sorted(rates, key=lambda each: (rates[each], each)))}


def _model(table: Table, features: list[trees.TreeFeature], graph: bytes, options: Options) -> trees.Trees:
    offset, factor = scale(options)
    return trees.Trees(
        kind="trees",
        format=1,
        name=options.target,
        version=options.version,
        features=features,
        offset=offset,
        factor=factor,
        onnx=base64.b64encode(graph).decode(),
        onnx_sha256=hashlib.sha256(graph).hexdigest(),
        scale=scale_of(options),
        trained=trained_on(table, options),
    )
