"""What a validation report must hold before anybody may lean on it (A3-37, D1-05).

`training/validation.py` writes it; pages, monitors and drawings read it. A report that came as a file is held to this
shape first, so that nothing further on meets a hole. Shares are 0…1, scores points, `people` counts.
"""

from typing import Annotated, Any, Literal

import msgspec

from backend.core import unreadable
from backend.domains.models.model import ReportUnfit

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Word = Annotated[str, msgspec.Meta(max_length=200)]
Sentence = Annotated[str, msgspec.Meta(max_length=2000)]
Level = Literal["steady", "notice", "moved", "too_few"]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
MOST_FEATURES = 2_000
_Some = msgspec.Meta(min_length=1, max_length=MOST_FEATURES)


class Discrimination(msgspec.Struct, frozen=True):
    people: Annotated[int, msgspec.Meta(gt=0)]
    bad: Count
    auc: Share
    auc_low: Share
    auc_high: Share
    gini: float
    ks: Share
    ks_score: float


class Band(msgspec.Struct, frozen=True):
    people: Count
    foreseen: Share
    came: Share
    low: Share
    high: Share


class Calibration(msgspec.Struct, frozen=True):
    bands: Annotated[list[Band], msgspec.Meta(min_length=1, max_length=100)]
    inside: Count
    brier: Share


class Tenth(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    tenth: Count
    from_: int
    to: int
    people: Count
    bad_rate: Share
    lift: float
    gain: Share


class CutOff(msgspec.Struct, frozen=True):
    cut_off: int
    approved: Share
    bad_rate: Share
    bad_kept_out: Share
    false_alarms: Share


class Psi(msgspec.Struct, frozen=True):
    psi: float
    level: Level


class Bin(msgspec.Struct, frozen=True):
    bin: Word
    people: Count
    bad_rate: Share
    points: int | None


class Feature(msgspec.Struct, frozen=True):
    name: Word
    iv: float
    psi: float
    level: Level
    bins: list[Bin]


class Counts(msgspec.Struct, frozen=True):
    """Cases of the training sample between `edges`; one more count than edges."""

    edges: list[float]
    counts: list[Count]


class Reference(msgspec.Struct, frozen=True):
    score: Counts
    features: dict[Word, Counts]


class Period(msgspec.Struct, frozen=True):
    period: Word
    people: Count
    bad_rate: Share
    mean_score: float
    auc: Share | None
    psi: float
    level: Level


class Group(msgspec.Struct, frozen=True):
    group: Word
    people: Count
    approved: Share
    ratio: float | None
    bad_rate: Share
    reference: bool
    verdict: Literal["fair", "review", "too_few"]


class Cell(msgspec.Struct, frozen=True):
    people: Count
    bad_rate: Share | None


class Swap(msgspec.Struct, frozen=True):
    both: Cell
    swapped_in: Cell
    swapped_out: Cell
    neither: Cell
    approved: Share
    live: Discrimination


class Held(msgspec.Struct, frozen=True):
    cases: Count
    came: Count
    foreseen: float
    foreseen_with_offset: float


class CountyRow(msgspec.Struct, frozen=True):
    county: Word
    cases: Count
    bad: Count
    offset: float
    error: float
    points: int
    told: Word
    held: Held


class Cumulative(msgspec.Struct, frozen=True):
    """Shares of the good and of the bad at or below each of `score`."""

    score: list[float]
    good: list[Share]
    bad: list[Share]


class Spread(msgspec.Struct, frozen=True):
    """Shares of the good and of the bad between `edges`; one count fewer than edges."""

    edges: list[float]
    good: list[Share]
    bad: list[Share]


class Curves(msgspec.Struct, frozen=True):
    model: Cumulative
    live: Cumulative | None
    spread: Spread


class Scale(msgspec.Struct, frozen=True):
    score: int
    odds: int
    points_to_double: int


class Weight(msgspec.Struct, frozen=True):
    column: Word
    weight: float
    p: float
    vif: float


class Step(msgspec.Struct, frozen=True):
    column: Word
    iv: float
    result: Word


class Onnx(msgspec.Struct, frozen=True):
    sha256: Hash
    difference: float
    rounds: Count


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`curves` None: written before curves were kept. `fairness` by column, `counties` when offsets were made."""

    model_sha256: Hash
    data_sha256: Hash
    kind: Literal["scorecard", "trees"]
    target: Word
    seed: int
    split: Sentence
    serves: Literal["decisions", "batches"]
    train: Discrimination
    test: Discrimination
    calibration: Calibration
    lift: Annotated[list[Tenth], msgspec.Meta(min_length=3, max_length=10)]
    cut_offs: Annotated[list[CutOff], msgspec.Meta(min_length=1, max_length=100)]
    cut_off: int
    psi: Psi
    features: Annotated[list[Feature], _Some]
    reference: Reference
    stability: Annotated[list[Period], msgspec.Meta(max_length=100)]
    fairness: dict[Word, list[Group]]
    swap: Swap | None
    scale: Scale
    notes: list[Sentence]
    curves: Curves | None = None
    counties: Annotated[list[CountyRow], msgspec.Meta(max_length=MOST_FEATURES)] = []
    weights: list[Weight] = []
    steps: list[Step] = []
    onnx: Onnx | None = None


def decode(text: bytes) -> dict[str, Any]:
    """The report in a file, held to its shape. Raises `ReportUnfit`."""
    try:
        found = msgspec.json.decode(text)
    except unreadable.NOT_DECODED as cause:
        raise ReportUnfit(why=unreadable.why(cause, text)) from cause
    if not isinstance(found, dict):
        raise ReportUnfit(why="它不是一份报告")
    if "model_sha256" not in found:
        raise ReportUnfit(why="里面没有写是哪个模型的。要的是和模型文件在同一个目录里的 report.json")
    check(found)
    return found


def check(found: dict[str, Any]) -> Report:
    """Raises `ReportUnfit` with the place that is wrong."""
    try:
        report = msgspec.convert(found, Report)
    except msgspec.ValidationError as cause:
        raise ReportUnfit(why=unreadable.why(cause, b"-")) from cause
    counts = [report.reference.score, *report.reference.features.values()]
    if any(len(each.counts) != len(each.edges) + 1 for each in counts):
        raise ReportUnfit(why="训练样本的分段数和人数对不上")
    if any(each.edges != sorted(each.edges) for each in counts):
        raise ReportUnfit(why="训练样本的分段没有从小到大")
    curves = report.curves
    for line in (curves.model, curves.live) if curves else ():
        if line and not len(line.score) == len(line.good) == len(line.bad) > 1:
            raise ReportUnfit(why="曲线的点数对不上")
    if curves and not len(curves.spread.edges) - 1 == len(curves.spread.good) == len(curves.spread.bad) > 0:
        raise ReportUnfit(why="分数分布的段数对不上")
    return report
