"""Serving gradient-boosted trees as ONNX: the same protocol as a scorecard (A3-32, A6-21, findings "Scoring").

The artefact is one JSON file: features, scale, and the ONNX graph with its SHA-256. The graph gives the
log odds of turning bad; the score is that on the scorecard's scale, rounded to a whole number. One thread per
session, so that sums are taken in one order and a score is the same again. Training is in `domains/models`.

Reasons are honest by construction: what a feature cost is the score with that feature alone at the best value
seen in training, less the score as it is. Monotone constraints make it never negative, and naming it means
that improving it alone does raise the score by so much.
"""

import base64
import hashlib
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec

from backend.domains.decision import features, tree_graph
from backend.domains.decision.facts import Catalogue, Value
from backend.domains.decision.model import StrategyRefused, canonical
from backend.domains.decision.scorecard import ASCENDING, DESCENDING, WORTH_SAYING, Scored


class TreeFeature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`trend` is how the score follows the value ('' for none); `best`/`worst` the ends seen in training in the
    order of the score, `typical` the median. `categories` maps words to the numbers the trees saw; `special`
    are numbers that mean missing."""

    name: str
    trend: str
    best: float
    worst: float
    typical: float
    categories: dict[str, int] | None = None
    special: list[float] = []
    missing_seen: bool = False


class Trees(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`onnx` is base64; `offset - factor * log odds of bad`, rounded, is the score."""

    kind: Literal["trees"]
    format: int
    name: str
    version: int
    features: list[TreeFeature]
    offset: float
    factor: float
    onnx: str
    onnx_sha256: str
    scale: dict[str, int]
    trained: dict[str, int | str]


class CompiledTrees:
    """Checked and ready. With a catalogue it may decide, and every feature must then be a monotone fact;
    without one it scores batches only. Raises `StrategyRefused`."""

    def __init__(self, model: Trees, catalogue: Catalogue | None = None) -> None:
        findings = check(model, catalogue)
        if findings:
            raise StrategyRefused(findings)
        self.card = model
        self.hash = hashlib.sha256(canonical(model)).hexdigest()
        self.inputs = tuple(feature.name for feature in model.features)
        self._decides = catalogue is not None

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graph = base64.b64decode(self.card.onnx)
        if why := tree_graph.why_not(graph):
            raise StrategyRefused([why])
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def extremes(self) -> tuple[int, int]:
        """The lowest and the highest score it can give: it is monotone in every feature of one that decides, and beyond
        the ends seen in training there is no further split."""
        ends = [
            [feature.worst for feature in self.card.features],
            [feature.best for feature in self.card.features],
        ]
        lowest, highest = self._points(ends)
        return lowest, highest

    def score(self, values: Mapping[str, Value]) -> Scored:
        """Score and reasons. KeyError when a feature is missing: the caller has checked that none is."""
        features = self.card.features
        row = [encode(feature, values[feature.name]) for feature in features]
        rows = [list(row) for _ in range(2 * len(features) + 1)]
        for at, feature in enumerate(features):
            if feature.trend:
                rows[1 + at][at] = feature.best if _worse(feature, row[at]) else row[at]
                rows[1 + len(features) + at][at] = feature.typical
        scores = self._points(rows)
        now, best, typical = scores[0], scores[1 : 1 + len(features)], scores[1 + len(features) :]
        minus = [(points - now, f.name) for points, f in zip(best, features, strict=True)]
        plus = [(now - points, f.name) for points, f in zip(typical, features, strict=True)]
        return Scored(now, _largest(minus, 4), _largest(plus, 3))

    def score_frame(self, frame: Any) -> Any:
        """Scores of a polars table, as a series of Int64."""
        import numpy
        import polars as pl

        table = numpy.empty((frame.height, len(self.inputs)), dtype=numpy.float32)
        for at, feature in enumerate(self.card.features):
            table[:, at] = encode_frame(feature, frame[feature.name])
        return pl.Series("score", self._raw_to_points(self.log_odds(table)), dtype=pl.Int64)

    def _points(self, rows: list[list[float]]) -> list[int]:
        import numpy

        return [
            int(each) for each in self._raw_to_points(self.log_odds(numpy.array(rows, dtype=numpy.float32)))
        ]

    def log_odds(self, table: Any) -> Any:
        """Log odds of bad per row, float32 from the graph."""
        return self._session.run(["probabilities"], {"x": table})[0][:, -1]

    def _raw_to_points(self, raw: Any) -> Any:
        import numpy

        exact = self.card.offset - self.card.factor * raw.astype(numpy.float64)
        return numpy.rint(exact).astype(numpy.int64)


def encode(feature: TreeFeature, value: Any) -> float:
    """A value as the trees see it; missing is NaN, or the worst where training never saw it missing."""
    if value is None or value in feature.special or (isinstance(value, float) and not math.isfinite(value)):
        return math.nan if feature.missing_seen or not feature.trend else feature.worst
    if feature.categories is None:
        return float(value)
    word = str(value).strip()
    return float(feature.categories.get(word, max(feature.categories.values(), default=0)))


def encode_frame(feature: TreeFeature, column: Any) -> Any:
    """`encode` for a polars column, as float64."""
    import numpy
    import polars as pl

    if feature.categories is None:
        values = column.cast(pl.Float64).fill_null(math.nan).to_numpy().copy()
        values[~numpy.isfinite(values) | numpy.isin(values, feature.special)] = math.nan
    else:
        words, known = column.cast(pl.String).str.strip_chars(), feature.categories
        worst = max(known.values(), default=0)
        coded = words.replace_strict(
            list(known), list(known.values()), default=worst, return_dtype=pl.Float64
        )
        values = coded.set(words.is_null(), math.nan).to_numpy().copy()
    if feature.trend and not feature.missing_seen:
        values[numpy.isnan(values)] = feature.worst
    return values


def _worse(feature: TreeFeature, value: float) -> bool:
    """Whether a value is short of the best one; one beyond it must not be pulled back."""
    return value < feature.best if feature.trend == ASCENDING else value > feature.best


def _largest(found: list[tuple[int, str]], most: int) -> tuple[tuple[int, str], ...]:
    return tuple(sorted((each for each in found if each[0] >= WORTH_SAYING), reverse=True)[:most])


def check(model: Trees, catalogue: Catalogue | None) -> list[str]:
    """Findings in Chinese; an empty list means it may serve."""
    found = []
    names = [feature.name for feature in model.features]
    if not names or len(set(names)) != len(names):
        found.append("树模型没有特征，或有重复的特征")
    try:
        graph = base64.b64decode(model.onnx, validate=True)
    except ValueError:
        return [*found, "树模型的文件不完整"]
    if hashlib.sha256(graph).hexdigest() != model.onnx_sha256:
        found.append("树模型的文件和登记的指纹不一致")
    if not (math.isfinite(model.offset) and math.isfinite(model.factor) and model.factor > 0):
        found.append("树模型的刻度不对")
    for feature in model.features:
        if feature.trend not in (ASCENDING, DESCENDING, ""):
            found.append(f"{feature.name}：没有说明分数怎样随数值变化")
        if catalogue is not None:
            found.extend(_fact(feature, catalogue))
    return found


def _fact(feature: TreeFeature, catalogue: Catalogue) -> list[str]:
    """The same conditions a scorecard's feature has (D3-03), and monotone."""
    fact = catalogue.facts.get(feature.name)
    if fact is None or fact.kind not in ("int", "fen", "bp") or fact.source == "stage":
        return [f"{feature.name}：不是可以评分的数据项"]
    found = []
    if not fact.price:
        found.append(f"{fact.label}：不能影响评级、额度或利率")
    plain, _ = features.closure([feature.name])
    if not all(catalogue.may_score(name) for name in plain if name in catalogue):
        found.append(f"{fact.label}：来源没有征信许可，不能用来评分")
    if feature.trend not in (ASCENDING, DESCENDING) or feature.categories is not None:
        found.append(f"{fact.label}：审批用的树模型，每一项都要单调")
    if fact.withheld is not None and feature.trend != ASCENDING:
        found.append(f"{fact.label}：客户可以不授权的数据，越多分数才能越高")
    if not (fact.minus and fact.plus):
        found.append(f"{fact.label}：没有给客户看的理由")
    return found


def read(text: bytes) -> Trees:
    return msgspec.json.decode(text, type=Trees)
