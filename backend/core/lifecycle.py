"""Statuses as data: one table of moves per thing with a status (house rule 10).

The table exists once in Python; `tests/house` holds it against the rows of `xd.lifecycle` which the SQL
trigger obeys.
"""

from collections.abc import Mapping

from backend.core.errors import Conflict


class ForbiddenMove(Conflict):
    code = "forbidden_move"
    message = "这笔业务现在是“{from_label}”，不能再这样办"


class Lifecycle:
    """`moves` maps a status to the statuses it may go to; one that goes nowhere is final."""

    def __init__(self, name: str, labels: Mapping[str, str], moves: Mapping[str, tuple[str, ...]]) -> None:
        unknown = set(moves) | {t for ts in moves.values() for t in ts}
        if unknown - set(labels):
            raise ValueError(f"{name}: statuses without a label: {sorted(unknown - set(labels))}")
        self.name, self.labels, self.moves = name, dict(labels), dict(moves)

    @property
    def final(self) -> frozenset[str]:
        return frozenset(s for s in self.labels if not self.moves.get(s))

    def allows(self, old: str, new: str) -> bool:
        return new in self.moves.get(old, ())

    def check(self, old: str, new: str) -> None:
        if not self.allows(old, new):
            raise ForbiddenMove(from_label=self.labels.get(old, old), to_label=self.labels.get(new, new))

    def pairs(self) -> set[tuple[str, str]]:
        return {(old, new) for old, news in self.moves.items() for new in news}
