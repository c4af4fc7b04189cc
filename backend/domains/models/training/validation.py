"""One report of everything a validator must see, as plain JSON (A3-37, D1-05)."""

import itertools
from typing import Any

import msgspec
import numpy

from backend.domains.models import units
from backend.domains.models.artefacts import Model
from backend.domains.models.training import measures
from backend.domains.models.training.options import APPROVED_SHARE, Options
from backend.domains.models.training.tables import NUMBER, Column, Split, Table


class Scores(msgspec.Struct, frozen=True):
    """Of every row: the score, the chance of bad it stands for, and the live model's score if there is one."""

    score: Any
    chance: Any
    live: Any = None


def chance(scores: Any, options: Options) -> Any:
    """The chance of bad a score stands for, by its scale."""
    odds = options.base_odds * 2.0 ** ((scores - options.base_score) / options.points_to_double)
    return 1 / (1 + odds)


def report(table: Table, split: Split, scores: Scores, model: Model, options: Options) -> dict[str, Any]:
    fit, held, bad = split.fit, split.held, table.bad
    plain = getattr(model, "inner", model)  # without the offsets per county
    cut = options.cut_off
    if cut is None:
        cut = int(numpy.quantile(scores.score[fit], 1 - APPROVED_SHARE, method="lower"))
    return {
        "train": measures.discrimination(scores.score[fit], bad[fit]),
        "test": measures.discrimination(scores.score[held], bad[held]),
        "calibration": measures.calibration(scores.chance[held], bad[held]),
        "lift": measures.lift(scores.score[held], bad[held]),
        "cut_offs": measures.cut_offs(scores.score[held], bad[held]),
        "psi": measures.psi(measures.score_codes(scores.score, fit), fit, held),
        "features": _features(table, split, plain),
        "reference": _reference(table, split, scores, plain),
        "stability": [] if table.period is None else measures.stability(scores.score, bad, table.period, fit),
        "fairness": {
            name: measures.fairness(scores.score[held], bad[held], groups[held], cut)
            for name, groups in table.groups.items()
        },
        "swap": None if scores.live is None else _swap(scores, held, bad),
        "curves": _curves(scores, held, bad),
        "cut_off": cut,
        "split": split.how,
        "notes": table.notes,
        "data_sha256": table.sha256,
        "model_sha256": model.hash,
        "kind": options.kind,
        "target": options.target,
        "seed": options.seed,
        "scale": {
            "score": options.base_score,
            "odds": options.base_odds,
            "points_to_double": options.points_to_double,
        },
    }


def _curves(scores: Scores, held: Any, bad: Any) -> dict[str, Any]:
    """What is drawn of KS, ROC and the scores, so that a drawing needs the report alone."""
    live = None if scores.live is None else measures.cumulative(scores.live[held], bad[held])
    return {
        "model": measures.cumulative(scores.score[held], bad[held]),
        "live": live,
        "spread": measures.spread(scores.score[held], bad[held]),
    }


def _swap(scores: Scores, held: Any, bad: Any) -> dict[str, Any]:
    swapped = measures.swap_set(scores.score[held], scores.live[held], bad[held], APPROVED_SHARE)
    return swapped | {"live": measures.discrimination(scores.live[held], bad[held])}


def _features(table: Table, split: Split, model: Model) -> list[dict[str, Any]]:
    """Per feature of the model: information value, drift, and its bins with people, bad rate and points."""
    found = []
    for name in model.inputs:
        codes, labels, points = _bins(table.columns[name], split.fit, model)
        bins = _counted(codes[split.held], labels, points, table.bad[split.held])
        found.append(
            {
                "name": name,
                "iv": round(_iv(codes[split.fit], len(labels), table.bad[split.fit]), 4),
                **measures.psi(codes, split.fit, split.held),
                "bins": bins,
            }
        )
    return sorted(found, key=lambda each: -float(each["iv"]))


def _reference(table: Table, split: Split, scores: Scores, model: Model) -> dict[str, Any]:
    """What the monitors compare with: counts of the training sample between edges, for the score and every number
    without special values."""
    edges = [
        int(e) for e in numpy.unique(numpy.quantile(scores.score[split.fit], [i / 10 for i in range(1, 10)]))
    ]
    found: dict[str, Any] = {"score": _between(edges, scores.score[split.fit]), "features": {}}
    for name in model.inputs:
        column = table.columns.get(name)
        if column is None or column.kind != NUMBER or numpy.isnan(column.values).any():
            continue
        splits = _splits(column, model, split.fit)
        found["features"][name] = _between(splits, column.values[split.fit])
    return found


def _between(edges: list[Any], values: Any) -> dict[str, Any]:
    codes = numpy.searchsorted(numpy.array(edges, dtype=float), values, side="right")
    return {"edges": edges, "counts": numpy.bincount(codes, minlength=len(edges) + 1).tolist()}


def _splits(column: Column, model: Model, fit: Any) -> list[float]:
    parts = [*getattr(model.card, "columns", []), *getattr(model.card, "characteristics", [])]
    part = next((each for each in parts if each.name == column.name), None)
    return list(part.splits) if part is not None else _fifths(column, fit, _marks(column, model.card))


def _counted(codes: Any, labels: list[str], points: list[int | None], bad: Any) -> list[dict[str, Any]]:
    rows = []
    for code, label in enumerate(labels):
        inside = codes == code
        if inside.any():
            rate = round(float(bad[inside].mean()), 4)
            rows.append({"bin": label, "people": int(inside.sum()), "bad_rate": rate, "points": points[code]})
    return rows


def _iv(codes: Any, length: int, bad: Any) -> float:
    bads = numpy.bincount(codes, weights=bad, minlength=length)
    goods = numpy.bincount(codes, minlength=length) - bads
    good = (goods + 0.5) / (goods.sum() + 0.5)
    share = (bads + 0.5) / (bads.sum() + 0.5)
    return float(((good - share) * numpy.log(good / share))[goods + bads > 0].sum())


def _bins(column: Column, fit: Any, model: Model) -> tuple[Any, list[str], list[int | None]]:
    """Bins as the model has them, or fifths where it has none (trees): codes, labels, points."""
    card = model.card
    own = next((c for c in getattr(card, "columns", []) if c.name == column.name), None)
    if column.kind != NUMBER:
        return _categories(column, own)
    part = own or next((p for p in getattr(card, "characteristics", []) if p.name == column.name), None)
    special: list[tuple[float, int | None]] = list(own.special) if own is not None else _marks(column, card)
    splits = part.splits if part is not None else _fifths(column, fit, special)
    codes = numpy.searchsorted(numpy.array(splits, dtype=float), column.values, side="right")
    for at, (value, _) in enumerate(special):
        codes[column.values == value] = len(splits) + 1 + at
    codes[numpy.isnan(column.values)] = len(splits) + 1 + len(special)
    whole = not (column.values % 1 > 0).any()
    labels = [*_ranges(splits, whole=whole), *(f"特殊值 {value:g}" for value, _ in special), "缺失"]
    points = list(part.points) if part is not None else [None] * (len(splits) + 1)
    return codes, labels, [*points, *(p for _, p in special), own.missing if own is not None else None]


def _categories(column: Column, own: Any) -> tuple[Any, list[str], list[int | None]]:
    groups = (
        own.groups if own is not None else [[w] for w in sorted({w for w in column.values if w is not None})]
    )
    lookup = {word: at for at, words in enumerate(groups) for word in words}
    codes = numpy.array([lookup.get(word, len(groups)) for word in column.values])
    points = [*own.points, own.missing] if own is not None else [None] * (len(groups) + 1)
    return codes, [*(_joined(words) for words in groups), "缺失或没见过"], points


def _marks(column: Column, card: Any) -> list[tuple[float, int | None]]:
    """The special values trees were told of; they have no points of their own."""
    feature = next((f for f in getattr(card, "features", []) if f.name == column.name), None)
    return [(value, None) for value in (feature.special if feature else []) if (column.values == value).any()]


def _fifths(column: Column, fit: Any, special: list[tuple[float, int | None]]) -> list[float]:
    marked = numpy.isin(column.values, [value for value, _ in special])
    seen = column.values[fit][~(numpy.isnan(column.values) | marked)[fit]]
    if not len(seen):
        return []
    edges = numpy.unique(numpy.quantile(seen, [0.2, 0.4, 0.6, 0.8], method="lower"))
    return [float(edge) for edge in edges if edge > seen.min()]


def _ranges(splits: list[Any], *, whole: bool) -> list[str]:
    if not splits:
        return ["全部"]
    middle = []
    for low, high in itertools.pairwise(splits):
        last = high - 1 if whole else high
        middle.append(units.number(low) if last == low else f"{units.number(low)} 至 {units.number(last)}")
    return [f"不到 {units.number(splits[0])}", *middle, f"{units.number(splits[-1])} 及以上"]


def _joined(words: list[str]) -> str:
    text = "、".join(words[:4])
    return text if len(words) <= 4 else f"{text} 等 {len(words)} 类"
