"""Any model file of ours, read and compiled: a scorecard of facts, a scorecard of columns, or trees.

All share a small protocol (`Model`), so that batches, shadows and reports need not know which it is.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec
import polars as pl

from backend.core import unreadable
from backend.core.errors import Invalid
from backend.domains.decision import facts, scorecard, trees
from backend.domains.models import free_card


class Model(Protocol):
    """`inputs` are the columns it reads, `hash` the SHA-256 of its canonical JSON."""

    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def hash(self) -> str: ...
    @property
    def card(self) -> Any: ...

    def score(self, values: Mapping[str, Any]) -> scorecard.Scored: ...
    def score_frame(self, frame: pl.DataFrame) -> pl.Series: ...


class ArtefactUnreadable(Invalid):
    code = "model_unreadable"
    message = "这个文件不是模型：{why}"


class _Kind(msgspec.Struct):
    kind: str = "scorecard"


def read(text: bytes) -> scorecard.Scorecard | free_card.FreeCard | trees.Trees:
    """Raises `ArtefactUnreadable`."""
    try:
        kind = msgspec.json.decode(text, type=_Kind).kind
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
    if isinstance(model, free_card.FreeCard):
        if decides:
            raise ArtefactUnreadable(why="它用的列不是数据目录里的数据项，只能用于批量评分")
        return free_card.CompiledFreeCard(model)
    if isinstance(model, trees.Trees):
        return trees.CompiledTrees(model, facts.catalogue() if decides else None)
    return scorecard.CompiledScorecard(model, facts.catalogue())


def load(path: Path) -> Model:
    """The model in a file. Raises `ArtefactUnreadable` too when the file cannot be opened."""
    try:
        text = path.read_bytes()
    except OSError as cause:
        raise ArtefactUnreadable(why=f"读不到 {path}（{unreadable.system(cause)}）") from cause
    return compile_model(text)
