"""Models for batches: anything with `inputs`, `hash`, `card` (its document, with its `scale`) and `score_frame`."""

from pathlib import Path
from typing import Any, Protocol

import polars as pl

from backend.core.errors import Invalid
from backend.domains.decision import cards, facts
from backend.domains.models import artefacts


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


def of_card(card: cards.Card) -> Model:
    return cards.compile_card(card, facts.catalogue())


def of_body(body: bytes) -> Model:
    """A registered model. Raises `ModelUnreadable` for one that names its county by a column (see `load`)."""
    return _served(artefacts.compile_model(body))


def load(path: Path) -> Model:
    """Any model `train` writes. Raises `ModelUnreadable`, or `StrategyRefused` with every finding."""
    try:
        model = artefacts.load(path)
    except artefacts.ArtefactUnreadable as unfit:
        raise ModelUnreadable(why=unfit.details["why"]) from unfit
    return _served(model)


def _served(model: Model) -> Model:
    county = isinstance(model, artefacts.CompiledCountyModel)
    if county and all(name in facts.catalogue() for name in model.inputs[:-1]):
        raise ModelUnreadable(why="分县的审批模型只在审批里用，批量评分请用不分县的")
    return model
