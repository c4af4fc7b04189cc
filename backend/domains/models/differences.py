"""What changed from one model to the next, in sentences a risk officer reads (A3-33)."""

from itertools import pairwise
from typing import Any

from backend.domains.decision import facts, scorecard, trees
from backend.domains.models import artefacts, free_card, units
from backend.domains.models.offsets import CountyModel

KINDS = {
    scorecard.Scorecard: "数据项评分卡",
    free_card.FreeCard: "批量评分卡",
    trees.Trees: "树模型",
    CountyModel: "分县模型",
}


def between(old: bytes, new: bytes) -> list[str]:
    """Sentences, most important first; empty when both score alike. Raises `ArtefactUnreadable`."""
    before, after = artefacts.read(old), artefacts.read(new)
    found = []
    if type(before) is not type(after):
        found.append(f"种类从{KINDS[type(before)]}改为{KINDS[type(after)]}")
    if isinstance(before, CountyModel) and isinstance(after, CountyModel):
        found += _counties(before, after)
    before, after = _plain(before), _plain(after)
    was, now = _columns(before), _columns(after)
    found += [f"增加了{_label(name)}" for name in now if name not in was]
    found += [f"去掉了{_label(name)}" for name in was if name not in now]
    if type(before) is type(after):
        found += _base(before, after)
        for name in now:
            if name in was and was[name] != now[name]:
                found += _changed(name, was[name], now[name])
    return found


def _plain(model: Any) -> Any:
    return artefacts.CompiledCountyModel(model).plain if isinstance(model, CountyModel) else model


def _label(name: str) -> str:
    known = facts.catalogue().facts.get(name)
    return f"“{known.label if known is not None else name}”"


def _columns(model: Any) -> dict[str, Any]:
    for part in ("characteristics", "columns", "features"):
        if hasattr(model, part):
            return {each.name: each for each in getattr(model, part)}
    return {}


def _base(before: Any, after: Any) -> list[str]:
    if isinstance(after, trees.Trees):
        changed = before.onnx_sha256 != after.onnx_sha256
        return ["树换过了（重新训练），逐分的差别看验证报告里的换手"] if changed else []
    if before.base_points == after.base_points:
        return []
    return [f"基础分从 {before.base_points} 改为 {after.base_points}"]


def _changed(name: str, before: Any, after: Any) -> list[str]:
    """Points of one column, range by range; trees have none."""
    if not hasattr(after, "points"):
        return [f"{_label(name)}的方向变了"] if before.trend != after.trend else []
    found = []
    if _shape(before) != _shape(after):
        found.append(f"{_label(name)}重新分箱：{_ranges(name, before)} → {_ranges(name, after)}")
    elif before.points != after.points:
        found.append(f"{_label(name)}的分数从 {_listed(before.points)} 改为 {_listed(after.points)}")
    if getattr(before, "missing", None) != getattr(after, "missing", None):
        found.append(f"{_label(name)}缺失时的分数从 {before.missing} 改为 {after.missing}")
    return found


def _shape(column: Any) -> Any:
    return (
        column.splits,
        getattr(column, "groups", []),
        [value for value, _ in getattr(column, "special", [])],
    )


def _ranges(name: str, column: Any) -> str:
    if getattr(column, "groups", []):
        return "；".join(
            f"{'、'.join(words)} {p} 分" for words, p in zip(column.groups, column.points, strict=True)
        )
    if not column.splits:
        return f"全部 {column.points[0]} 分"
    ends = [units.number(each) for each in column.splits]
    middle = [f"{low} 至 {high}" for low, high in pairwise(ends)]
    ranges = [f"不到 {ends[0]}", *middle, f"{ends[-1]} 及以上"]
    said = [units.in_words(name, each) for each in ranges]
    return "；".join(f"{each} {p} 分" for each, p in zip(said, column.points, strict=True))


def _listed(points: list[int]) -> str:
    return "、".join(str(each) for each in points)


def _counties(before: CountyModel, after: CountyModel) -> list[str]:
    was = {county.county: county.points for county in before.counties}
    now = {county.county: county.points for county in after.counties}
    return [
        f"{name} 县的加减分从 {was.get(name, 0):+d} 改为 {now.get(name, 0):+d}"
        for name in sorted(was | now)
        if was.get(name, 0) != now.get(name, 0)
    ]
