"""A strategy drawn: the nodes and lines of its document as they stand in the file, the way of a case lit up (A3-33).

Pure: coordinates for an inline SVG. Positions are the editor's own, so a drawing made there looks the same here.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from backend.domains.decision.path import Lit
from backend.domains.strategies import scored

WIDE, HIGH, MARGIN = 168, 56, 24
KINDS = {
    "inputNode": "输入",
    "outputNode": "结果",
    "decisionTableNode": "规则表",
    "expressionNode": "计算",
    "switchNode": "分支",
    "decisionNode": "子流程",
    "customNode": "模型",
}
_LONGEST = 11  # characters of a name that fit into a box


class Box(msgspec.Struct, frozen=True):
    """`note` what it is, how many rows matched or the score given; `link` its panel on the page, '' for none; `own`:
    a county's layer stands here."""

    x: int
    y: int
    name: str
    note: str
    lit: bool
    link: str
    own: bool = False


class Line(msgspec.Struct, frozen=True):
    """`d` of the path, from the right side of one box to the left side of another."""

    d: str
    lit: bool


class Drawing(msgspec.Struct, frozen=True):
    """`said` tells the way in words, for those who do not see it."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    said: str


def draw(
    document: Mapping[str, Any], lit: Lit | None = None, added: Mapping[str, str] | None = None
) -> Drawing:
    """Every node and line of a document; `lit` None: no case is shown. `added`: what a county's layer adds, by node."""
    own = added or {}
    nodes = document["nodes"]
    left = min((spot(node)[0] for node in nodes), default=0)
    top = min((spot(node)[1] for node in nodes), default=0)
    spots = {n["id"]: (spot(n)[0] - left + MARGIN, spot(n)[1] - top + MARGIN) for n in nodes}
    boxes = tuple(_box(node, spots[node["id"]], lit, own.get(node["id"], "")) for node in nodes)
    lines = tuple(
        Line(_curve(spots[e["sourceId"]], spots[e["targetId"]]), lit is not None and e["id"] in lit.lines)
        for e in document["edges"]
        if e["sourceId"] in spots and e["targetId"] in spots
    )
    way = [_said(node, lit) for node in nodes if lit is not None and node["id"] in lit.nodes]
    said = "这个案例走过：" + "、".join(way) if way else "流程图"
    places = [f"{node['name']}：{own[node['id']]}" for node in nodes if node["id"] in own]
    return Drawing(
        width=max((x for x, _ in spots.values()), default=0) + WIDE + MARGIN,
        height=max((y for _, y in spots.values()), default=0) + HIGH + MARGIN,
        boxes=boxes,
        lines=lines,
        said="；".join((said, *places)),
    )


def _box(node: Mapping[str, Any], spot: tuple[int, int], lit: Lit | None, own: str) -> Box:
    name, number = str(node.get("name", "")), node["id"]
    rows = lit.rows.get(number, ()) if lit is not None else ()
    note = f"命中 {len(rows)} 行" if rows else kind_of(node)
    if node["type"] == "decisionTableNode" and not rows:
        note = f"规则表，{len(node['content']['rules'])} 行"
    if (points := points_of(node, lit)) is not None:
        note = f"得 {points:,} 分"
    shown = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    link = f"#t-{number}" if node["type"] in ("decisionTableNode", "customNode", "decisionNode") else ""
    return Box(*spot, shown, own or note, lit is not None and number in lit.nodes, link, bool(own))


def kind_of(node: Mapping[str, Any]) -> str:
    """What a node is, in words."""
    score = scored.score_of(node)
    return score.kind if score is not None else KINDS.get(node["type"], "节点")


def points_of(node: Mapping[str, Any], lit: Lit | None) -> int | None:
    """The score a scorecard or model of the flow gave a case that came by it."""
    if lit is None or node["type"] != "customNode":
        return None
    return next((int(value) for value in lit.values.get(node["id"], {}).values()), None)


def _said(node: Mapping[str, Any], lit: Lit | None) -> str:
    points = points_of(node, lit)
    return str(node["name"]) if points is None else f"{node['name']}（{points:,} 分）"


def spot(node: Mapping[str, Any]) -> tuple[int, int]:
    place = node.get("position") or {}
    found = [place.get(axis, 0) for axis in ("x", "y")]
    x, y = (int(v) if isinstance(v, int | float) and abs(v) < 100_000 else 0 for v in found)
    return x, y


def _curve(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1, x2, y2 = source[0] + WIDE, source[1] + HIGH // 2, target[0], target[1] + HIGH // 2
    bend = max(24, abs(x2 - x1) // 2)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
