"""What may score in a decision: a points card or trees, behind one small protocol (A3-32, A6-21)."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from backend.domains.decision import scorecard, trees
from backend.domains.decision.facts import Catalogue, Value

Card = scorecard.Scorecard | trees.Trees


class Compiled(Protocol):
    """`inputs` are the facts it needs, `hash` the SHA-256 of its canonical JSON, `card` that JSON's struct."""

    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def hash(self) -> str: ...
    @property
    def card(self) -> Any: ...

    def extremes(self) -> tuple[int, int]: ...
    def score(self, values: Mapping[str, Value]) -> scorecard.Scored: ...
    def score_frame(self, frame: Any) -> Any: ...


class _Kind(msgspec.Struct):
    kind: str = "scorecard"


def read(text: bytes) -> Card:
    """A stored card of either kind."""
    if msgspec.json.decode(text, type=_Kind).kind == "trees":
        return trees.read(text)
    return scorecard.read(text)


def compile_card(card: Card, catalogue: Catalogue) -> Compiled:
    """Checked against the catalogue. Raises `StrategyRefused`."""
    if isinstance(card, trees.Trees):
        return trees.CompiledTrees(card, catalogue)
    return scorecard.CompiledScorecard(card, catalogue)
