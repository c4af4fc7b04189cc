"""By which branches of a flow a place in it is reached, so that what a county adds there is asked of the very customers
head office asks there (N4).

Pure. A node that only passes facts on (a calculation, a model, a sub-flow whose tables are laid out) is looked through;
so is a branch by what a county's document cannot compute (`computing.py`).
"""

from collections.abc import Container, Mapping
from typing import Any

from backend.domains.decision import graph
from backend.domains.strategies import computing

Ways = tuple[tuple[str, str], ...]
"""(switch, branch) of each way to a place; none: every case comes by it."""


def names(switch: Mapping[str, Any]) -> set[str]:
    """The facts, and names of the flow's own, that decide which branch is taken."""
    return {name for each in _statements(switch) for name in computing.used(each.get("condition") or "")}


def branches(switch: Mapping[str, Any]) -> list[str]:
    return [str(each["id"]) for each in _statements(switch)]


def to(document: Mapping[str, Any], node: str, known: Container[str]) -> Ways:
    """The nearest branches in front of a node."""
    return _to(_Lines(document, known), node, frozenset())


def computed(document: Mapping[str, Any], node: str, known: Container[str]) -> bool:
    """Whether a branch by what a county's document cannot compute lies in front of a node."""
    lines, seen, waiting = _Lines(document, known), {node}, [node]
    while waiting:
        for source, _ in lines.into(waiting.pop()):
            if lines.is_switch(source) and not lines.is_plain(source):
                return True
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return False


class _Lines:
    def __init__(self, document: Mapping[str, Any], known: Container[str]) -> None:
        self._nodes = {node["id"]: node for node in document["nodes"]}
        self._known, self._computed = known, computing.reachable(document, known)
        self._into: dict[str, list[tuple[str, str]]] = {}
        for edge in document["edges"]:
            source = (edge["sourceId"], edge.get("sourceHandle") or "")
            self._into.setdefault(edge["targetId"], []).append(source)

    def into(self, node: str) -> list[tuple[str, str]]:
        return self._into.get(node, [])

    def is_switch(self, node: str) -> bool:
        return bool(self._nodes.get(node, {}).get("type") == graph.SWITCH)

    def is_plain(self, switch: str) -> bool:
        where = computing.of(switch)
        return all(
            name in self._known or (where, name) in self._computed for name in names(self._nodes[switch])
        )


def _to(lines: _Lines, node: str, within: frozenset[str]) -> Ways:
    found: dict[tuple[str, str], None] = {}
    for source, branch in lines.into(node):
        if source in within:
            continue  # a circle: the checks say so
        if lines.is_switch(source) and lines.is_plain(source):
            found[source, branch] = None
            continue
        behind = _to(lines, source, within | {node})
        if not behind:
            return ()
        found |= dict.fromkeys(behind)
    return tuple(found)


def _statements(switch: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(switch["content"]["statements"])
