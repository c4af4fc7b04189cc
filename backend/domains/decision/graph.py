"""The shape of a document: which kinds of node there are, how lines may join them, and what is reached from where.

Input → expressions, switches, scorecards and models (they pass the facts on) → decision tables and sub-flows (they
give results) → output. Every way from the input ends in a result; nothing runs in a circle; nothing is left aside.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from backend.domains.decision import tables

INPUT, OUTPUT, TABLE = "inputNode", "outputNode", "decisionTableNode"
EXPRESSION, SWITCH, CUSTOM, FLOW = "expressionNode", "switchNode", "customNode", "decisionNode"
RESULTS = frozenset({TABLE, FLOW})
PASSING = frozenset({INPUT, EXPRESSION, SWITCH, CUSTOM})
_NODE = {"id", "type", "name", "position", "content", "description"}
_EDGE = {"id", "type", "sourceId", "targetId", "sourceHandle"}
_DRAWN = {
    "width",
    "height",
    "measured",
    "selected",
    "dragging",
    "positionAbsolute",
    "zIndex",
    "animated",
    "style",
}
"""What an editor keeps of how it drew; no meaning for a decision."""
MAX_NODES = 100
LONGEST_NAME = 60

Say = Callable[..., None]


class Line(msgspec.Struct, frozen=True):
    source: str
    handle: str  # the branch of a switch, '' elsewhere
    target: str


class Graph(msgspec.Struct, frozen=True):
    """`order` has each node after all before it; `into` and `out` are its lines."""

    nodes: dict[str, Mapping[str, Any]]
    order: tuple[str, ...]
    into: dict[str, tuple[Line, ...]]
    out: dict[str, tuple[Line, ...]]

    def kind(self, node: str) -> str:
        return str(self.nodes[node]["type"])

    def sure(self) -> frozenset[str]:
        """Nodes every case passes, whatever a switch says."""
        found: set[str] = set()
        for node in self.order:
            lines = self.into[node]
            if not lines or any(each.source in found and not each.handle for each in lines):
                found.add(node)
        return frozenset(found)


def read(document: Mapping[str, Any], say: Say) -> Graph | None:
    """The graph of a document; None when its shape is so wrong that nothing more can be said."""
    nodes = {node["id"]: node for node in document["nodes"]}
    if len(nodes) != len(document["nodes"]):
        say("文件", "有两个节点的编号相同")
    if len(nodes) > MAX_NODES:
        say("文件", f"节点太多，最多 {MAX_NODES} 个")
        return None
    _kinds(nodes, say)
    lines = _lines(nodes, document["edges"], say)
    if lines is None:
        return None
    into = {node: tuple(each for each in lines if each.target == node) for node in nodes}
    out = {node: tuple(each for each in lines if each.source == node) for node in nodes}
    order = _order(nodes, into, out)
    if order is None:
        say("连线", "连线绕成了圈")
        return None
    found = Graph(nodes, order, into, out)
    _ways(found, say)
    return found


def _kinds(nodes: Mapping[str, Any], say: Say) -> None:
    for node in nodes.values():
        name = node["name"]
        if not isinstance(name, str) or not name.strip():
            say(str(node["id"]), "节点要有名称", node=node["id"])
        elif len(name) > LONGEST_NAME:
            say(name[:LONGEST_NAME], f"名称太长，最多 {LONGEST_NAME} 个字", node=node["id"])
        if not tables.NUMBER.fullmatch(node["id"]):
            say(str(node["id"]), "节点编号只能用字母、数字、减号和下划线")
        if node["type"] == "functionNode":
            say(name, "不能使用脚本节点", node=node["id"])
        elif node["type"] not in PASSING | RESULTS | {OUTPUT}:
            say(name, "没有这一种节点", node=node["id"])
        if extra := set(node) - _NODE - _DRAWN - {"partner"}:
            say(name, f"这个节点有看不懂的设置 {min(extra)}", node=node["id"])
    kinds = [node["type"] for node in nodes.values()]
    if kinds.count(INPUT) != 1 or kinds.count(OUTPUT) != 1:
        say("文件", "要有一个输入节点和一个输出节点")
    if not RESULTS & set(kinds):
        say("文件", "没有决策表")


def _lines(nodes: Mapping[str, Any], edges: Sequence[Mapping[str, Any]], say: Say) -> list[Line] | None:
    found = []
    for edge in edges:
        line = Line(edge["sourceId"], edge.get("sourceHandle") or "", edge["targetId"])
        if line.source not in nodes or line.target not in nodes:
            say("连线", "有一条线连到不存在的节点")
            return None
        if set(edge) - _EDGE - _DRAWN - {"targetHandle"} or edge.get("targetHandle"):
            say("连线", "有一条线有看不懂的设置")
        if line.handle and nodes[line.source]["type"] != SWITCH:
            say("连线", "只有分支节点的线才能选分支")
            return None
        found.append(line)
    if len({(each.source, each.handle, each.target) for each in found}) != len(found):
        say("连线", "同样的线画了两遍")
    return found


def _order(
    nodes: Mapping[str, Any], into: Mapping[str, Sequence[Line]], out: Mapping[str, Sequence[Line]]
) -> tuple[str, ...] | None:
    waiting = {node: len(into[node]) for node in nodes}
    ready = [node for node in nodes if not waiting[node]]
    found = []
    while ready:
        node = ready.pop(0)
        found.append(node)
        for line in out[node]:
            waiting[line.target] -= 1
            if not waiting[line.target]:
                ready.append(line.target)
    return tuple(found) if len(found) == len(nodes) else None


def _ways(graph: Graph, say: Say) -> None:
    """Everything is reached, and every way ends in a result and the output."""
    reached = _reached(graph)
    for number, node in graph.nodes.items():
        kind, name = node["type"], node["name"]
        follow = {graph.kind(line.target) for line in graph.out[number]}
        if kind in RESULTS:
            if number not in reached:
                say(name, "从输入走不到这张表", node=number)
            if OUTPUT not in follow:
                say(name, "这张表的结果到不了输出", node=number)
            if follow - {OUTPUT}:
                say("连线", "有多余的线，表与表之间不能相连", node=number)
        elif kind in PASSING:
            if number not in reached and kind != INPUT:
                say(name, "从输入走不到这一步", node=number)
            if not follow:
                say(name, "这一步后面没有路", node=number)
            if OUTPUT in follow:
                say(name, "这一步不能直接连到输出，没有结果的路等于放过", node=number)
    entries = [node for node, line in graph.into.items() if line and graph.kind(node) == INPUT]
    exits = [node for node, line in graph.out.items() if line and graph.kind(node) == OUTPUT]
    if entries or exits:
        say("连线", "有多余的线，不能连进输入或连出输出")


def _reached(graph: Graph) -> set[str]:
    found = {node for node in graph.nodes if graph.kind(node) == INPUT}
    for node in graph.order:
        if any(line.source in found for line in graph.into[node]):
            found.add(node)
    return found
