"""One difference of two versions in words, the lines of a flow drawn and cut, what is opened to counties (A3-33)."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from backend.domains.decision import graph
from backend.domains.strategies import overlays
from backend.domains.strategies.model import Document, UnionContent

Kind = Literal["added", "removed", "changed", "moved"]
KINDS: dict[str, str] = {"added": "新增", "removed": "删除", "changed": "修改", "moved": "换了顺序"}
OBSCURE = "有改动，但这里看不出是什么"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `table` and `row` are words for people, `node` is the id of what changed;
    `before`/`after` are cells in words, '' where there is nothing to show; `called` what a row says, to know it by."""

    kind: Kind
    what: str  # 行, 单元格, 表, 列, 节点, 连线, 参数, 开放的位置, 加减点
    table: str = ""
    row: str = ""
    column: str = ""
    before: str = ""
    after: str = ""
    node: str = ""
    called: str = ""

    @property
    def sentence(self) -> str:
        """`征信 第 3 行 近 1 个月贷款查询：高于 4 改为 高于 3`."""
        if self.kind == "changed":
            return self.told
        shown = self.after or self.before
        return f"{self.place}：{self.act}" + (f"，{shown}" if shown else "")

    @property
    def act(self) -> str:
        """`新增行`, `修改`: the mark beside `told`."""
        if self.kind == "moved":
            return self.what + KINDS[self.kind]
        return KINDS[self.kind] + ("" if self.kind == "changed" else self.what)

    @property
    def told(self) -> str:
        """As `sentence`, for a line that has `act` beside it."""
        if self.after == OBSCURE:
            return f"{self.place}：{OBSCURE}"
        if self.kind == "changed":
            return f"{self.place}：{self.before} 改为 {self.after}"
        return "：".join(part for part in (self.place, self.after or self.before) if part)

    @property
    def place(self) -> str:
        row = f"{self.row}“{self.called}”" if self.called else self.row
        return " ".join(part for part in (self.table, row, self.column) if part)


def lines(before: Document, after: Document) -> list[Change]:
    """Lines drawn and cut, but for those that came or went with their node, or that a node was put into."""
    held, now = ({_ends(e): e for e in side["edges"]} for side in (before, after))
    names = {n["id"]: n["name"] for side in (before, after) for n in side["nodes"]}
    branches = {
        (n["id"], each["id"]): "其余" if each.get("isDefault") else f"第 {number} 条"
        for side in (before, after)
        for n in side["nodes"]
        if n["type"] == graph.SWITCH
        for number, each in enumerate(n["content"]["statements"], 1)
    }
    gone, come = ({n["id"] for n in side["nodes"]} for side in (before, after))
    gone, come = gone - come, come - gone

    def told(ends: tuple[str, str, str]) -> str:
        source, target, branch = ends
        said = branches.get((source, branch), "") if branch else ""
        return f"{names.get(source, source)}{f'（{said}）' if said else ''} → {names.get(target, target)}"

    return [
        *(
            Change(kind="added", what="连线", table="流程图", after=told(ends))
            for ends in now
            if ends not in held and come.isdisjoint(ends[:2])
        ),
        *(
            Change(kind="removed", what="连线", table="流程图", before=told(ends))
            for ends in held
            if ends not in now and not gone and not come
        ),
    ]


def _ends(edge: Mapping[str, Any]) -> tuple[str, str, str]:
    return edge["sourceId"], edge["targetId"], edge.get("sourceHandle") or ""


def openings(before: UnionContent, after: UnionContent) -> list[Change]:
    """What head office opens to counties, that it did not open before, or no more."""
    old, new = ({each.id: each for each in side.openings.parameters} for side in (before, after))
    found: list[Change] = []
    for number in {**old, **new}:
        one, other = old.get(number), new.get(number)
        if one == other:
            continue
        kind: Kind = "added" if one is None else "removed" if other is None else "changed"
        label = (other or one).label  # type: ignore[union-attr]
        found.append(
            Change(
                kind=kind,
                what="参数",
                table="向县行开放",
                row=label,
                before=overlays.band(before, one) if one else "",
                after=overlays.band(after, other) if other else "",
            )
        )
    nodes = {**overlays.tables(before.document), **overlays.tables(after.document)}
    found += [
        Change(
            kind="added" if place in after.openings.places else "removed",
            what="开放的位置",
            table="向县行开放",
            row=nodes[place]["name"] if place in nodes else place,
        )
        for place in sorted({*before.openings.places} ^ {*after.openings.places})
    ]
    bands = (before.openings.price_band, after.openings.price_band)
    if bands[0] != bands[1]:
        held, now = (overlays.price_band(each) for each in bands)
        found.append(Change(kind="changed", what="加减点", table="县行加减点", before=held, after=now))
    return found
