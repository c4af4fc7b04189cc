"""A sub-flow of a draft's own made: with one table to be filled in, or of rule tables of the drawn graph (issue 3 §8).

Pure. Gives the flow with the new node and the new sub-flow, which is to be stored under its hash.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from backend.domains.decision import facts, gate, graph
from backend.domains.decision.facts import Fact
from backend.domains.decision.model import Stage
from backend.domains.strategies import arranging, calculations, nesting, overlays
from backend.domains.strategies.arranging import ArrangementWrong
from backend.domains.strategies.model import Document, Openings

FIRST_TABLE = "规则"
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def with_new(stage: Stage, document: Document, name: str, columns: list[Fact]) -> tuple[Document, Document]:
    """A sub-flow of one rule table with a condition column for each fact and one row to be filled in, joined from input
    to output. Raises `ArrangementWrong`."""
    inner = arranging.with_table(stage, _ends(document), FIRST_TABLE, columns)
    return arranging.with_flow(document, name, gate.hash_of(inner), inner), inner


def with_tables(
    document: Document, name: str, numbers: Collection[str], openings: Openings
) -> tuple[Document, Document]:
    """These tables moved into a sub-flow that stands where they stood; each keeps its bytes, and says of a case what it
    said before. Raises `ArrangementWrong`."""
    moved = [node for node in document["nodes"] if node["id"] in numbers and node["type"] == graph.TABLE]
    before = _before(document, moved)
    _require_movable(document, moved, openings)
    inner = _ends(document)
    for node in moved:
        inner = arranging.joined({**inner, "nodes": [*inner["nodes"], node]}, node["id"])
    used = set(_WORD.findall(json.dumps([node["content"] for node in moved], ensure_ascii=False)))
    inner = arranging.declaring(inner, used & set(nesting.declared(document)), facts.catalogue())
    gone = {node["id"] for node in moved}
    left = {
        **document,
        "nodes": [node for node in document["nodes"] if node["id"] not in gone],
        "edges": [
            edge for edge in document["edges"] if gone.isdisjoint((edge["sourceId"], edge["targetId"]))
        ],
    }
    number = arranging.free(document, "flow")
    made = arranging.with_node(left, number, graph.FLOW, name, {"key": gate.hash_of(inner)})
    nodes = [
        *made["nodes"][:-1],
        {**made["nodes"][-1], "position": moved[0].get("position", {"x": 0, "y": 0})},
    ]
    return arranging.joined({**made, "nodes": nodes}, number, before), inner


def _before(document: Document, moved: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The (node, branch) all these tables come after."""
    ways = {
        frozenset(line[:2] for edge in document["edges"] if (line := arranging.line(edge))[2] == node["id"])
        for node in moved
    }
    if not ways:
        raise ArrangementWrong(why="请勾要搬进子流程的规则表")
    if len(ways) > 1:
        raise ArrangementWrong(why="勾的几张表接在不同的步骤后面，一次只能搬接在同一步后面的")
    return sorted(ways.pop())


def _require_movable(document: Document, moved: Sequence[Mapping[str, Any]], openings: Openings) -> None:
    if len(moved) == len(overlays.tables(document)):
        raise ArrangementWrong(why="至少留一张规则表在外面")
    names = calculations.names_of(document)
    opened = {*openings.places, *(each.table for each in openings.parameters)}
    for node in moved:
        if node["id"] in opened:
            raise ArrangementWrong(why=f"“{node['name']}”向县行开放着，先收回，搬进去以后再开放")
        if names & set(_WORD.findall(json.dumps(node["content"], ensure_ascii=False))):
            raise ArrangementWrong(why=f"“{node['name']}”用到这张图算出来的数，子流程看不到，不能搬")


def _ends(document: Document) -> Document:
    """A flow with nothing between its input, which takes nothing yet, and its output."""
    schema = json.dumps(gate.schema((), facts.catalogue()), ensure_ascii=False)
    nodes = [
        {**node, "content": {**(node.get("content") or {}), "schema": schema}}
        if node["type"] == graph.INPUT
        else node
        for node in document["nodes"]
        if not arranging.may_go(node)
    ]
    return {"nodes": nodes, "edges": []}
