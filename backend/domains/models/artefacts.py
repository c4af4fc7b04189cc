"""Any model file of ours, read and compiled: a scorecard of facts, a scorecard of columns, or trees.

All share a small protocol (`Model`), so that batches, shadows and reports need not know which it is.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from backend.core import given, unreadable
from backend.core.errors import Invalid
from backend.domains.decision import facts, scorecard, trees
from backend.domains.decision.model import canonical
from backend.domains.models import free_card
from backend.domains.models.offsets import CountyModel

if TYPE_CHECKING:
    import polars as pl


class Model(Protocol):
    """`inputs` are the columns it reads, `hash` the SHA-256 of its canonical JSON."""

    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def hash(self) -> str: ...
    @property
    def card(self) -> Any: ...

    def score(self, values: Mapping[str, Any]) -> scorecard.Scored: ...
    def score_frame(self, frame: "pl.DataFrame") -> "pl.Series": ...


class ArtefactUnreadable(Invalid):
    code = "model_unreadable"
    message = "这个文件不是模型：{why}"


class _Kind(msgspec.Struct):
    kind: str = "scorecard"


Card = scorecard.Scorecard | trees.Trees
Plain = Card | free_card.FreeCard


def read(text: bytes) -> Plain | CountyModel:
    """Raises `ArtefactUnreadable`."""
    try:
        kind = msgspec.json.decode(text, type=_Kind).kind
        if kind == "county_model":
            return msgspec.json.decode(text, type=CountyModel)
        if kind == "free_scorecard":
            return msgspec.json.decode(text, type=free_card.FreeCard)
        if kind == "trees":
            return trees.read(text)
        if kind == "scorecard":
            return scorecard.read(text)
    except unreadable.NOT_DECODED as cause:
        raise ArtefactUnreadable(why=unreadable.why(cause, text)) from cause
    raise ArtefactUnreadable(why=f"没有叫 {kind} 的模型种类")


def compile_model(text: bytes, *, decides: bool = False) -> Model:
    """`decides` asks for one that may decide: held to the catalogue. Raises `ArtefactUnreadable`,
    `StrategyRefused`, `CardUnfit`."""
    model = read(text)
    if isinstance(model, CountyModel):
        return CompiledCountyModel(model, decides=decides)
    return _compiled(model, decides=decides)


def _compiled(model: Plain, *, decides: bool) -> Model:
    if isinstance(model, free_card.FreeCard):
        if decides:
            raise ArtefactUnreadable(why="它用的列不是数据目录里的数据项，只能用于批量评分")
        return free_card.CompiledFreeCard(model)
    if isinstance(model, trees.Trees):
        return trees.CompiledTrees(model, facts.catalogue() if decides else None)
    return scorecard.CompiledScorecard(model, facts.catalogue())


class CompiledCountyModel:
    """A model with its offsets: scores rows and tables that name their county. A county it does not know is
    scored as the whole province."""

    def __init__(self, model: CountyModel, *, decides: bool = False) -> None:
        inner = read(canonical(model.model))
        if isinstance(inner, CountyModel):
            raise ArtefactUnreadable(why="分县的模型里又套了一个分县的模型")
        self.card = model
        self.plain = inner
        self.inner = _compiled(inner, decides=decides)
        self.inputs = (*self.inner.inputs, model.column)
        self.hash = hashlib.sha256(canonical(model)).hexdigest()
        self._points = {county.county: county.points for county in model.counties}

    def score(self, values: Mapping[str, Any]) -> scorecard.Scored:
        scored = self.inner.score(values)
        points = self._points.get(str(values[self.card.column]), 0)
        return msgspec.structs.replace(scored, score=scored.score + points)

    def score_frame(self, frame: "pl.DataFrame") -> "pl.Series":
        import polars as pl

        counties = frame[self.card.column].cast(pl.String)
        points = counties.replace_strict(
            list(self._points), list(self._points.values()), default=0, return_dtype=pl.Int64
        )
        return (self.inner.score_frame(frame) + points).alias("score")


def for_county(text: bytes, institution_id: str) -> Card:
    """The card that decides in a county: the model itself, or shifted by the county's points. A shifted card is
    a version of its own with its own hash, stored with the decision like any other. Raises as `compile_model`."""
    model = read(text)
    if isinstance(model, CountyModel):
        points = {county.county: county.points for county in model.counties}.get(institution_id, 0)
        return _shifted(CompiledCountyModel(model, decides=True).plain, points)
    return _shifted(model, 0)


def _shifted(card: Plain, points: int) -> Card:
    if isinstance(card, scorecard.Scorecard):
        return msgspec.structs.replace(card, base_points=card.base_points + points)
    if isinstance(card, trees.Trees):
        return msgspec.structs.replace(card, offset=card.offset + points)
    raise ArtefactUnreadable(why="它用的列不是数据目录里的数据项，只能用于批量评分")


def load(path: Path) -> Model:
    """The model in a file. Raises `ArtefactUnreadable` too when the file cannot be opened."""
    try:
        text = given.read(path)
    except OSError as cause:
        raise ArtefactUnreadable(why=f"读不到 {path}（{unreadable.system(cause)}）") from cause
    return compile_model(text)
