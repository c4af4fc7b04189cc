"""A county's document, composed of what it adds to a flow of head office's (N4, A3-34).

Pure. It holds nothing but the county's rows and the branches that lead to them: a row in a table behind a branch, or
in a sub-flow, is asked of the customers that come there, and silence answers the others. It runs beside the union's
(`decision/county.py`), which stays as it is, so whatever stands here can only be added.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from backend.domains.decision import contracts, county, gate, graph, lint
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Stage
from backend.domains.strategies import overlays, ways
from backend.domains.strategies.model import CountyContent, Document, UnionContent

FIRST, LAST, SILENCE = "facts", "result", "silence"
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LONGEST_ID = 64


def compose(stage: Stage, union: UnionContent, content: CountyContent, known: Catalogue) -> Document:
    """The county's document: what it adds, table by table, under the union's names. `union` with the tables of its
    sub-flows laid out (`unfolding.laid_out`). Parameters that point nowhere and rows of tables that are gone are left
    out; the checks name them."""
    nodes: list[Any] = []
    names: set[str] = set()
    for number, node in overlays.tables(union.document).items():
        rows = [
            *_tightened(stage, union, content, number, known),
            *(overlays.whole(row, node["content"]) for row in content.rows.get(number, [])),
        ]
        if rows:
            table, used = _table(stage, node, rows, known)
            nodes.append(table)
            names |= used
    branches = _Branches(union.document, [node["id"] for node in nodes], known)
    names |= branches.names
    nodes = [_here(node) for node in (*branches.switches, *nodes)]
    if branches.silent:
        nodes += _silent(stage, sorted(branches.names & set(known.facts)), known)
    entry = {"schema": json.dumps(gate.schema(names & set(known.facts), known), ensure_ascii=False)}
    first = {
        "id": FIRST,
        "type": "inputNode",
        "name": "输入",
        "position": {"x": 80, "y": 160},
        "content": entry,
    }
    last = {"id": LAST, "type": "outputNode", "name": "结果", "position": {"x": 640, "y": 160}}
    edges = [edge for node in nodes for edge in branches.lines(node)]
    return _without_dead_silence(stage, {"nodes": [first, *nodes, last], "edges": edges}, known)


def called(place: str) -> str:
    """What a table of the union's is called in a composed document, where `flow-1/table-1` is no name of a node."""
    if "/" not in place:
        return place
    name = place.replace("/", "--")
    return name if len(name) <= _LONGEST_ID else "in-" + hashlib.sha256(place.encode()).hexdigest()[:24]


def places(union: Document) -> dict[str, str]:
    """The tables of head office's flow, laid out, by what they are called in a composed document."""
    return {called(place): place for place in overlays.tables(union)}


class _Branches:
    """The switches in front of some tables, and the lines of a document that has only these."""

    def __init__(self, union: Document, tables: list[str], known: Catalogue) -> None:
        nodes = {node["id"]: node for node in union["nodes"]}
        found: dict[str, ways.Ways] = {}
        waiting = list(tables)
        while waiting:
            place = waiting.pop(0)
            found[place] = ways.to(union, place, known.facts)
            waiting += [s for s, _ in found[place] if s not in found and s not in waiting]
        self.switches = [nodes[place] for place in found if place not in tables]
        self.names = {name for switch in self.switches for name in ways.names(switch)}
        self._ways = {called(place): each for place, each in found.items()}
        taken = {way for each in found.values() for way in each}
        self.silent = [
            (switch["id"], branch)
            for switch in self.switches
            for branch in ways.branches(switch)
            if (switch["id"], branch) not in taken
        ]

    def lines(self, node: Mapping[str, Any]) -> list[dict[str, str]]:
        number = node["id"]
        into = self._ways.get(number, tuple(self.silent))
        made = [
            {
                **_line(f"in-{number}-{at}", called(source), number),
                "sourceHandle": branch,
            }
            for at, (source, branch) in enumerate(into, 1)
        ] or [_line(f"in-{number}", FIRST, number)]
        return made if node["type"] == graph.SWITCH else [*made, _line(f"out-{number}", number, LAST)]


def _line(number: str, source: str, target: str) -> dict[str, str]:
    return {"id": number, "type": "edge", "sourceId": source, "targetId": target}


def _here(node: Mapping[str, Any]) -> dict[str, Any]:
    if "/" not in node["id"]:
        return dict(node)
    return {**node, "id": called(node["id"]), "name": node["name"][: graph.LONGEST_NAME]}


def _silent(stage: Stage, names: list[str], known: Catalogue) -> list[dict[str, Any]]:
    """The tables for whom the county has nothing to say: their one row is left out of every answer (`county.SILENT`).
    Two where only yes or no could be asked, since no cell says both."""
    whole = [known[name] for name in names if known[name].kind != "bool"]
    fact, contract = (whole or [known[names[0]]])[0], contracts.CONTRACTS[stage]
    outputs = [{"id": f"r{n}", "name": field, "field": field} for n, field in enumerate(contract.columns, 1)]
    said = {column["id"]: _nothing(column["field"], contract) for column in outputs}
    asked = ["true", "false"] if not whole and contract.conditions else [_any(fact) if whole else ""]
    return [
        {
            "id": SILENCE if at == 1 else f"{SILENCE}-{at}",
            "type": graph.TABLE,
            "name": "本行没有规定",
            "position": {"x": 360, "y": 560 + 80 * at},
            "content": {
                "hitPolicy": contract.hit_policy,
                "passThrough": False,
                "inputField": None,
                "outputPath": None,
                "executionMode": "single",
                "inputs": [{"id": "c1", "name": fact.label, "field": fact.name}],
                "outputs": outputs,
                "rules": [{"_id": county.SILENT, "c1": cell, **said}],
            },
        }
        for at, cell in enumerate(asked, 1)
    ]


def _nothing(field: str, contract: contracts.Contract) -> str:
    said, kind = _NOTHING_SAID.get(field, "''"), contract.columns[field]
    return said if not isinstance(kind, tuple) or said.strip("'") in kind else f"'{kind[0]}'"


def _without_dead_silence(stage: Stage, document: Document, known: Catalogue) -> Document:
    """Where the county's own rows speak for everyone, the row of silence would never be reached: it is taken out."""
    if contracts.CONTRACTS[stage].hit_policy != "first":
        return document
    dead = {
        (each.node, each.row)
        for each in lint.check(stage, document, known)
        if each.row == county.SILENT and each.severity == contracts.ERROR
    }
    for node in document["nodes"]:
        if any(node["id"] == place for place, _ in dead):
            rules = node["content"]["rules"]
            node["content"] = {**node["content"], "rules": [r for r in rules if r["_id"] != county.SILENT]}
    return document


def _tightened(
    stage: Stage, union: UnionContent, content: CountyContent, place: str, known: Catalogue
) -> list[dict[str, str]]:
    """The union's rows with the county's numbers, the refusals first: in a table that stops at the first match
    they must not hide behind another."""
    rows: list[tuple[bool, dict[str, str]]] = []
    for parameter in union.openings.parameters:
        if parameter.table != place or parameter.id not in content.parameters:
            continue
        try:
            spot = overlays.Spot(stage, union.document, parameter, known)
        except (LookupError, StopIteration):
            continue
        if (value := spot.value()) is None:
            continue
        cell = f"{value[0]} {content.parameters[parameter.id]}".strip()
        row = {**spot.rule, parameter.column: cell, "_id": f"{parameter.row}{overlays.SET}"}
        rows.append((spot.verdict != "decline", row))
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def _table(
    stage: Stage, node: Mapping[str, Any], rows: list[dict[str, str]], known: Catalogue
) -> tuple[dict[str, Any], set[str]]:
    """(node, names of facts it uses). Columns no row fills are left out: every declared fact must be used."""
    table = node["content"]
    used = [c for c in table["inputs"] if any(row.get(c["id"], "") for row in rows)]
    if not used and not contracts.CONTRACTS[stage].conditions:
        # Rows for everyone: said aloud, as a condition every value meets, since a declared fact must be used.
        used = [c for c in table["inputs"] if known[c["field"]].kind != "bool"][:1] or table["inputs"][:1]
        rows = [{**row, used[0]["id"]: _any(known[used[0]["field"]])} for row in rows]
    if table["hitPolicy"] == "first":
        rows = [*rows, _silence(table)]
    kept = {c["id"] for c in (*used, *table["outputs"])} | {"_id"}
    rules = [{key: cell for key, cell in row.items() if key in kept} for row in rows]
    names = {c["field"] for c in used} | _named(rules, known)
    return {**node, "content": {**table, "inputs": used, "rules": rules}}, names


def _silence(table: Mapping[str, Any]) -> dict[str, str]:
    """The last row of a table that stops at the first match, for everyone: the county has nothing to say."""
    outputs = {c["id"]: _NOTHING_SAID[c["field"]] for c in table["outputs"] if c["field"] in _NOTHING_SAID}
    return {"_id": county.SILENT, **{c["id"]: "" for c in table["inputs"]}, **outputs}


_NOTHING_SAID = {
    "code": "'SILENT'",
    "severity": "'note'",
    "cap": "'silent'",
    "part": "'silent'",
    "label": "'本行没有规定'",
    "amount": "0",
    "bp": "0",
    "grade": f"'{contracts.GRADES[0]}'",
    "verdict": "'pass'",
    "action": f"'{contracts.DUNNING[0]}'",
    "channel": f"'{contracts.CHANNELS[0]}'",
    "pace_days": "0",
    "text": "'本行没有另外的做法'",
}


def _any(fact: Fact) -> str:
    """A cell that every value of the fact meets."""
    if fact.kind == "bool":
        return "true, false"
    if fact.kind == "enum":
        return ", ".join(f"'{member}'" for member in fact.members)
    return f"[{fact.low}..{fact.high}]"


def _named(rules: Iterable[Mapping[str, str]], known: Catalogue) -> set[str]:
    """Facts named in cells, and in the braces of sentences."""
    found: set[str] = set()
    for rule in rules:
        for key, cell in rule.items():
            if key != "_id":
                found |= set(_NAME.findall(_QUOTED.sub(" ", cell)))
                found |= {name for text in _QUOTED.findall(cell) for name in re.findall(r"\{(\w+)\}", text)}
    return {name for name in found if name in known}
