"""Which nodes, lines and rows of a drawn document a case went through, read from the trace of its decision."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from backend.domains.decision import graph
from backend.domains.decision.model import Step

_NOTHING = ("incomplete", "error", "interrupted")


class Lit(msgspec.Struct, frozen=True):
    """Ids of nodes and lines on the way, rows that matched by node, values given by node."""

    nodes: frozenset[str]
    lines: frozenset[str]
    rows: dict[str, tuple[str, ...]]
    values: dict[str, dict[str, int | str]]


def lit(document: Mapping[str, Any], trace: Iterable[Step], stage: str, *, within: str = "") -> Lit:
    """The way of a case through one document; `within` is the sub-flow node (a/b for one inside another) whose
    document this is. A stage that did not come to an end lights up nothing but what it proved."""
    prefix = f"{within}/" if within else ""
    steps = [
        msgspec.structs.replace(step, table=step.table.removeprefix(prefix))
        for step in trace
        if step.stage == stage and (step.table.startswith(prefix) or not step.table)
    ]
    if any(step.event in _NOTHING for step in steps):
        return Lit(frozenset(), frozenset(), {}, {})
    branches = {step.table: step.row for step in steps if step.event == "branch"}
    nodes = {node["id"]: node["type"] for node in document["nodes"]}
    on = {node for node, kind in nodes.items() if kind == graph.INPUT}
    lines: set[str] = set()
    more = True
    while more:
        more = False
        for edge in document["edges"]:
            source, handle = edge["sourceId"], edge.get("sourceHandle") or ""
            if source in on and handle == branches.get(source, "") and edge["id"] not in lines:
                lines.add(edge["id"])
                on.add(edge["targetId"])
                more = True
    rows: dict[str, tuple[str, ...]] = {}
    for step in steps:
        if step.event == "row" and "/" not in step.table:
            rows[step.table] = (*rows.get(step.table, ()), step.row)
    values = {step.table: step.output for step in steps if step.event == "value"}
    return Lit(frozenset(on), frozenset(lines), rows, values)
