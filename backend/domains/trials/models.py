"""Models for batches: anything with `inputs`, `hash`, `card` (its document, with its `scale`) and `score_frame`."""

from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import polars as pl

from backend.core import unreadable
from backend.core.errors import Invalid
from backend.domains.decision import facts, scorecard
from backend.domains.decision.bundle import Bundle


class Model(Protocol):
    """`score_frame` takes a column per input; what it says of a row with a null does not matter for facts: such a
    row gets no score (`batch.score_rows`)."""

    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def hash(self) -> str: ...
    @property
    def card(self) -> Any: ...
    def score_frame(self, frame: pl.DataFrame) -> pl.Series: ...


class ModelUnreadable(Invalid):
    code = "batch_model_unreadable"
    message = "这个文件不是能批量评分的模型：{why}"


class BatchScorecard:
    """A scorecard over whole columns: the same points by bisection, column by column."""

    def __init__(self, served: scorecard.CompiledScorecard) -> None:
        self.inputs, self.hash, self.card = served.inputs, served.hash, served.card

    def score_frame(self, frame: pl.DataFrame) -> pl.Series:
        total = np.full(frame.height, self.card.base_points, dtype=np.int64)
        for part in self.card.characteristics:
            values = frame[part.name].fill_null(0).to_numpy()
            points = np.array(part.points, dtype=np.int64)
            total += points[np.searchsorted(np.array(part.splits, dtype=np.int64), values, side="right")]
        return pl.Series("score", total)


def of_bundle(used: Bundle) -> Model:
    """The model that decides live."""
    return BatchScorecard(used.card)


def load(path: Path) -> Model:
    """Raises `ModelUnreadable`, or `StrategyRefused` with every finding."""
    try:
        text = path.read_bytes()
    except OSError as cause:
        raise ModelUnreadable(why=f"读不到 {path}（{unreadable.system(cause)}）") from cause
    try:
        kind: Any = msgspec.json.decode(text, type=dict[str, Any]).get("kind", "scorecard")
        if kind != "scorecard":
            raise ModelUnreadable(why=f"没有叫 {kind} 的模型种类")
        card = scorecard.read(text)
    except unreadable.NOT_DECODED as cause:
        raise ModelUnreadable(why=unreadable.why(cause, text)) from cause
    return BatchScorecard(scorecard.CompiledScorecard(card, facts.catalogue()))
