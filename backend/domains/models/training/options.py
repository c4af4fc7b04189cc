"""What a training run is asked to do; the one error it may end with is `TableUnfit`."""

from pathlib import Path

import msgspec

from backend.domains.decision.train import TableUnfit

__all__ = ["APPROVED_SHARE", "MIN_EACH", "SCORECARD", "TREES", "Options", "TableUnfit"]

SCORECARD, TREES = "scorecard", "trees"
MIN_EACH = 100
"""Good and bad cases there must be at least: below that nothing a bin says is more than chance."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`monotone` is how points must follow a column: ascending or descending. `special` are numbers that stand
    for a reason instead of a value (-999) and get a bin of their own. `cut_off` None: the score that lets
    `APPROVED_SHARE` of the training cases pass."""

    target: str
    kind: str = SCORECARD
    seed: int = 20260801
    test_share: float = 0.3
    out_of_time: str = ""
    exclude: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    monotone: dict[str, str] = {}
    special: tuple[float, ...] = ()
    group: tuple[str, ...] = ()
    county: str = ""
    live: Path | None = None
    cut_off: int | None = None
    base_score: int = 600
    base_odds: int = 50
    points_to_double: int = 20
    version: int = 1
    free: bool = False


APPROVED_SHARE = 0.7
"""Where no cut-off is given, the report measures at the score that this share of the training cases reaches."""
