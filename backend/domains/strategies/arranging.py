"""The drawn graph of a strategy arranged: nodes moved, added and taken away, lines drawn and cut (issue 3 §8).

Pure. A node that stays keeps its content byte for byte; only its position is new. What may stand where is not said
here but by the same checks as on import (`lint.check`).
"""

import copy
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from backend.core.errors import Invalid
from backend.domains.decision import facts, gate, graph
from backend.domains.decision.contracts import CONTRACTS, FIELDS
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Stage
from backend.domains.strategies import cells
from backend.domains.strategies.cells import CellUnreadable, Column
from backend.domains.strategies.model import Document, Openings

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
FARTHEST = 20_000  # of the drawing, in its own units
STEP_X, STEP_Y = 260, 88  # between columns and rows of a tidied drawing
MOST_COLUMNS = 12
ENTRY = "*"
"""In front of everything: right behind the input."""
KINDS = {
    graph.TABLE: "规则表",
    graph.EXPRESSION: "计算",
    graph.CUSTOM: "评分卡或模型",
    graph.SWITCH: "分支",
    graph.FLOW: "子流程",
}
"""What can be added on the page."""


class ArrangementWrong(Invalid):
    code = "strategy_arrangement_wrong"
    message = "{why}"


class Source(msgspec.Struct, frozen=True):
    """Where a line may begin: a node, or one branch of a switch (`branch` its id, '' elsewhere)."""

    node: str
    branch: str
    label: str


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """`spots` by node id; `gone` nodes are taken out with their lines; `lines` are all (source, branch, target)."""

    spots: dict[str, tuple[int, int]]
    gone: frozenset[str]
    lines: frozenset[tuple[str, str, str]]


def sources(document: Mapping[str, Any]) -> list[Source]:
    """In the order of the document; the output is none."""
    found = []
    for node in document["nodes"]:
        if node["type"] == graph.SWITCH:
            for number, each in enumerate(node["content"]["statements"], 1):
                said = "其余" if each.get("isDefault") else f"第 {number} 条"
                found.append(Source(node["id"], each["id"], f"{node['name']}：{said}"))
        elif node["type"] != graph.OUTPUT:
            found.append(Source(node["id"], "", node["name"]))
    return found


def targets(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Nodes a line may lead to: all but the input."""
    return [node for node in document["nodes"] if node["type"] != graph.INPUT]


def may_go(node: Mapping[str, Any]) -> bool:
    """Input and output stay: a flow has exactly one of each."""
    return node["type"] not in (graph.INPUT, graph.OUTPUT)


def arranged(document: Document, asked: Arrangement) -> Document:
    """The document after the arrangement. Lines that stay keep their ids. Raises `ArrangementWrong`."""
    nodes = []
    for node in document["nodes"]:
        if node["id"] in asked.gone:
            if not may_go(node):
                raise ArrangementWrong(why="输入和结果要留着")
            continue
        spot = asked.spots.get(node["id"])
        nodes.append(node if spot is None or spot == _spot(node) else {**node, "position": _placed(spot)})
    left = {node["id"] for node in nodes}
    wanted = {line for line in asked.lines if line[0] in left and line[2] in left}
    kept = [edge for edge in document["edges"] if line(edge) in wanted]
    new = sorted(wanted - {line(edge) for edge in kept})
    taken = {edge.get("id", "") for edge in document["edges"]}
    made = {**document, "nodes": nodes, "edges": [*kept, *(_edge(line, taken) for line in new)]}
    return declaring_less(made) if asked.gone else made


def declaring_less(document: Document, read: Iterable[str] | None = None) -> Document:
    """What no node mentions any more is not declared any more. `read` is what the sub-flows and models of the flow
    read; without it all stays beside one (`scored.declaring_less`)."""
    kinds = {node["type"] for node in document["nodes"]}
    if read is None and {graph.FLOW, graph.CUSTOM} & kinds:
        return document
    others = [node["content"] for node in document["nodes"] if may_go(node)]
    said = {*_WORD.findall(json.dumps(others, ensure_ascii=False)), *(read or ())}
    nodes = []
    for node in document["nodes"]:
        if node["type"] == graph.INPUT:
            held = json.loads(node["content"]["schema"])["properties"]
            if kept := {name for name in held if name in said}:
                schema = json.dumps(gate.schema(kept, facts.catalogue()), ensure_ascii=False)
                unchanged = len(kept) == len(held)
                node = node if unchanged else {**node, "content": {**node["content"], "schema": schema}}
        nodes.append(node)
    return {**document, "nodes": nodes}


def without_gone(openings: Openings, document: Document) -> Openings:
    """What is opened to counties, without the tables, rows and columns that are gone; of a sub-flow's all stay while
    its node does."""
    held = {node["id"] for node in document["nodes"]}

    def inside(place: str) -> bool:
        return "/" in place and place.split("/")[0] in held

    tables = {node["id"]: node for node in document["nodes"] if node["type"] == graph.TABLE}
    spots = {
        (number, rule.get("_id"), column["id"])
        for number, node in tables.items()
        for rule in node["content"]["rules"]
        for column in (*node["content"]["inputs"], *node["content"]["outputs"])
    }
    return msgspec.structs.replace(
        openings,
        parameters=tuple(
            e for e in openings.parameters if (e.table, e.row, e.column) in spots or inside(e.table)
        ),
        places=tuple(p for p in openings.places if p in tables or inside(p)),
    )


def tidied(document: Document) -> Document:
    """Every node in the column of its longest way from the input, evenly below each other."""
    depth = _depths(document)
    columns: dict[int, list[Any]] = {}
    for node in sorted(document["nodes"], key=lambda each: _spot(each)[1]):
        columns.setdefault(depth.get(node["id"], 0), []).append(node)
    highest = max(len(each) for each in columns.values())
    spots = {
        node["id"]: (80 + column * STEP_X, 80 + (highest - len(held)) * STEP_Y // 2 + at * STEP_Y)
        for column, held in columns.items()
        for at, node in enumerate(held)
    }
    nodes = [{**node, "position": _placed(spots[node["id"]])} for node in document["nodes"]]
    return {**document, "nodes": nodes}


def with_table(stage: Stage, document: Document, name: str, columns: list[Fact]) -> Document:
    """A new rule table, joined from input to output, with a condition column for each fact and one row that has to
    be filled in. Raises `ArrangementWrong`."""
    if not 1 <= len(columns) <= MOST_COLUMNS:
        raise ArrangementWrong(why=f"请选 1 到 {MOST_COLUMNS} 个条件列")
    contract, number = CONTRACTS[stage], free(document, "table")
    inputs = [{"id": f"c{n}", "name": fact.label, "field": fact.name} for n, fact in enumerate(columns, 1)]
    outputs = [
        {"id": f"r{n}", "name": FIELDS[field], "field": field} for n, field in enumerate(contract.columns, 1)
    ]
    row = {"_id": f"{number}-1", **{column["id"]: "" for column in (*inputs, *outputs)}}
    content = {
        "hitPolicy": contract.hit_policy,
        "passThrough": False,
        "inputField": None,
        "outputPath": number,
        "executionMode": "single",
        "inputs": inputs,
        "outputs": outputs,
        "rules": [row],
    }
    made = with_node(document, number, graph.TABLE, name, content)
    return joined(declaring(made, (fact.name for fact in columns), facts.catalogue()), number)


def with_switch(document: Document, name: str, fact: Fact, branches: list[str], known: Catalogue) -> Document:
    """A new switch on one fact: a branch for each condition a person wrote, and 其余 at the end. Not joined yet. Raises
    `ArrangementWrong`."""
    if not 1 <= len(branches) <= MOST_COLUMNS:
        raise ArrangementWrong(why=f"请写 1 到 {MOST_COLUMNS} 条分支，一行一条")
    number = free(document, "switch")
    statements: list[dict[str, Any]] = [
        {"id": f"{number}-b{n}", "condition": condition(text, fact, known), "isDefault": False}
        for n, text in enumerate(branches, 1)
    ]
    statements.append({"id": f"{number}-rest", "condition": "", "isDefault": True})
    content = {"hitPolicy": "first", "statements": statements}
    made = with_node(document, number, graph.SWITCH, name, content)
    return declaring(made, [fact.name], facts.catalogue())


def with_flow(document: Document, name: str, key: str, inner: Mapping[str, Any]) -> Document:
    """A stored document as a sub-flow, joined from input to output; what it reads is declared."""
    number = free(document, "flow")
    made = joined(with_node(document, number, graph.FLOW, name, {"key": key}), number)
    entry = next(node for node in inner["nodes"] if node["type"] == graph.INPUT)
    return declaring(made, json.loads(entry["content"]["schema"])["properties"], facts.catalogue())


def declaring(document: Document, names: Iterable[str], known: Catalogue) -> Document:
    """The document with facts added to what its input declares; as it was when all are there."""
    nodes = []
    for node in document["nodes"]:
        if node["type"] == graph.INPUT:
            held = set(json.loads(node["content"]["schema"])["properties"])
            wanted = held | {name for name in names if name in known}
            if wanted != held:
                schema = json.dumps(gate.schema(wanted, known), ensure_ascii=False)
                node = {**node, "content": {**node["content"], "schema": schema}}
        nodes.append(node)
    return {**document, "nodes": nodes}


def condition(text: str, fact: Fact, known: Catalogue) -> str:
    """A cell as the condition of a branch. Raises `ArrangementWrong`."""
    column = Column(id="", label=fact.label, kind="condition", fact=fact)
    try:
        cell = cells.read(text, column, known)
    except CellUnreadable as cause:
        raise ArrangementWrong(why=f"分支“{text[:20]}”：{cause.text}") from cause
    if not cell:
        raise ArrangementWrong(why="每一条分支都要写条件，“其余”会自动加在最后")
    if fact.kind == "bool":
        return fact.name if cell == "true" else f"not({fact.name})"
    if fact.kind == "enum":
        denied = cell.startswith("!= ")
        return f"{fact.name} {cell}" if denied else f"{fact.name} in [{cell}]"
    parts = [each.strip() for each in cell.split(", ")]
    if any(each.startswith(("[", "(")) for each in parts):
        raise ArrangementWrong(why=f"分支“{text[:20]}”：这里写 高于、不低于 这样的比较，不写区间")
    said = [f"{fact.name} {each}" if each[0] in "<>=!" else f"{fact.name} == {each}" for each in parts]
    return " or ".join(said)


def with_node(document: Document, number: str, kind: str, name: str, content: dict[str, Any]) -> Document:
    """One node more below the others, not joined. Raises `ArrangementWrong` without a name."""
    if not name.strip():
        raise ArrangementWrong(why="给新节点起个名字")
    spots = [_spot(node) for node in document["nodes"]]
    middle = (min(x for x, _ in spots) + max(x for x, _ in spots)) // 2
    place = _placed((middle, max(y for _, y in spots) + STEP_Y))
    node = {"id": number, "type": kind, "name": name.strip()[:40], "position": place, "content": content}
    return {**copy.copy(document), "nodes": [*document["nodes"], node]}


def joined(document: Document, number: str, before: Sequence[tuple[str, str]] = ()) -> Document:
    """Lines to a node from the input, or from each (node, branch) of `before`, and on to the output."""
    by_kind = {node["type"]: node["id"] for node in document["nodes"]}
    lines = [(*each, number) for each in before or [(by_kind[graph.INPUT], "")]]
    taken = {edge.get("id", "") for edge in document["edges"]}
    made = [_edge(each, taken) for each in (*lines, (number, "", by_kind[graph.OUTPUT]))]
    return {**document, "edges": [*document["edges"], *made]}


def inserted(document: Document, number: str, before: str) -> Document:
    """A node that passes facts on put into the lines in front of another, or with `ENTRY` in front of everything.
    Raises `ArrangementWrong`."""
    entry = next(node["id"] for node in document["nodes"] if node["type"] == graph.INPUT)
    if before != ENTRY and before not in {each["id"] for each in targets(document)}:
        raise ArrangementWrong(why="请选接在哪一步前面")
    side, node = ("sourceId", entry) if before == ENTRY else ("targetId", before)
    caught = [edge for edge in document["edges"] if edge[side] == node]
    if before == ENTRY:
        lines = [(entry, "", number), *((number, "", edge["targetId"]) for edge in caught)]
    else:
        lines = [*((*line(edge)[:2], number) for edge in caught), (number, "", before)]
    kept = [edge for edge in document["edges"] if edge not in caught]
    taken = {edge.get("id", "") for edge in document["edges"]}
    return {**document, "edges": [*kept, *(_edge(line, taken) for line in dict.fromkeys(lines))]}


def free(document: Document, kind: str) -> str:
    """An id no node has."""
    taken = {node["id"] for node in document["nodes"]}
    return next(made for n in range(1, 1000) if (made := f"{kind}-{n}") not in taken)


def _edge(line: tuple[str, str, str], taken: set[str]) -> dict[str, str]:
    source, branch, target = line
    number = next(made for n in range(1, 10_000) if (made := f"line-{n}") not in taken)
    taken.add(number)
    edge = {"id": number, "type": "edge", "sourceId": source, "targetId": target}
    return {**edge, "sourceHandle": branch} if branch else edge


def line(edge: Mapping[str, Any]) -> tuple[str, str, str]:
    """(source, branch, target)."""
    return edge["sourceId"], edge.get("sourceHandle") or "", edge["targetId"]


def _depths(document: Document) -> dict[str, int]:
    """Longest way from the input, by node; a drawing that runs in a circle is left after as many steps as nodes."""
    found = {node["id"]: 0 for node in document["nodes"]}
    for _ in document["nodes"]:
        for edge in document["edges"]:
            if edge["sourceId"] in found and edge["targetId"] in found:
                found[edge["targetId"]] = min(
                    max(found[edge["targetId"]], found[edge["sourceId"]] + 1), len(found)
                )
    return found


def _spot(node: Mapping[str, Any]) -> tuple[int, int]:
    place = node.get("position") or {}
    x, y = (place.get(axis, 0) for axis in ("x", "y"))
    return (int(x), int(y)) if all(isinstance(each, int | float) for each in (x, y)) else (0, 0)


def _placed(spot: tuple[int, int]) -> dict[str, int]:
    x, y = (max(-FARTHEST, min(FARTHEST, each)) for each in spot)
    return {"x": x, "y": y}
