"""A county's document, composed of what it adds to a flow of head office's (N4, A3-34).

Pure. It holds nothing but the county's rows, the branches that lead to them, and the calculations these look at: a row
in a table behind a branch, or in a sub-flow, is asked of the customers that come there, and silence answers the others.
What is computed is computed first, for everybody: a calculation has one value whatever way a customer comes. All runs
beside the union's (`decision/county.py`), which stays as it is, so whatever stands here can only be added.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from backend.domains.decision import contracts, county, gate, graph, lint
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Stage
from backend.domains.strategies import computing, nesting, overlays, ways
from backend.domains.strategies.model import CountyContent, Document, UnionContent

FIRST, LAST, SILENCE, VALUES = "facts", "result", "silence", "hq-values"
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LONGEST_ID = 64


def compose(stage: Stage, union: UnionContent, content: CountyContent, known: Catalogue) -> Document:
    """The county's document: what it adds, table by table, under the union's names. `union` with the tables of its
    sub-flows laid out (`unfolding.laid_out`). Parameters that point nowhere and rows of tables that are gone are left
    out; the checks name them."""
    nodes: list[Any] = []
    asked: set[computing.Name] = set()
    everyone = _everyone(stage, union.document, known)
    for number, node in overlays.tables(union.document).items():
        rows = [
            *_tightened(stage, union, content, number, known),
            *(overlays.whole(row, node["content"]) for row in content.rows.get(number, [])),
        ]
        if rows:
            words = computing.words(union.document, number, known)
            table, used = _table(stage, node, rows, words, everyone)
            nodes.append(table)
            asked |= {(computing.of(number), name) for name in used}
    branches = _Branches(union.document, [node["id"] for node in nodes], known)
    values = _Values(union.document, {*asked, *branches.names}, known)
    nodes = [_here(values.said(node)) for node in (*branches.switches, *nodes)]
    if branches.silent:
        nodes += _silent(stage, values.to_ask(branches.names))
    entry = {"schema": json.dumps(gate.schema(values.facts, known), ensure_ascii=False)}
    first = {
        "id": FIRST,
        "type": "inputNode",
        "name": "输入",
        "position": {"x": 80, "y": 160},
        "content": entry,
    }
    last = {"id": LAST, "type": "outputNode", "name": "结果", "position": {"x": 640, "y": 160}}
    behind = [FIRST, *(node["id"] for node in values.nodes)]
    edges = [_line(f"in-{one}", before, one) for before, one in pairwise(behind)]
    edges += [edge for node in nodes for edge in branches.lines(node, behind[-1])]
    whole = {"nodes": [first, *values.nodes, *nodes, last], "edges": edges}
    return _without_dead_silence(stage, whole, known)


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
        self.names = {
            (computing.of(switch["id"]), name) for switch in self.switches for name in ways.names(switch)
        }
        self._ways = {called(place): each for place, each in found.items()}
        taken = {way for each in found.values() for way in each}
        self.silent = [
            (switch["id"], branch)
            for switch in self.switches
            for branch in ways.branches(switch)
            if (switch["id"], branch) not in taken
        ]

    def lines(self, node: Mapping[str, Any], first: str) -> list[dict[str, str]]:
        """`first`: what everybody comes by."""
        number = node["id"]
        into = self._ways.get(number, tuple(self.silent))
        made = [
            {
                **_line(f"in-{number}-{at}", called(source), number),
                "sourceHandle": branch,
            }
            for at, (source, branch) in enumerate(into, 1)
        ] or [_line(f"in-{number}", first, number)]
        return made if node["type"] == graph.SWITCH else [*made, _line(f"out-{number}", number, LAST)]


class _Values:
    """What has to be known of a customer: facts, and what head office's flow makes of them, step by step."""

    def __init__(self, union: Document, asked: set[computing.Name], known: Catalogue) -> None:
        self._rows = computing.reachable(union, known.facts)
        steps = computing.steps(self._rows, asked)
        self._given = {name for step in steps for name in step}
        self.nodes = [self._node(number, step) for number, step in enumerate(steps, 1)]
        used = {name for _, name in asked}
        used |= {name for each in self._given for name in computing.used(self._rows[each]["value"])}
        self.facts = used & set(known.facts)
        self._known = known

    def _node(self, number: int, step: list[computing.Name]) -> dict[str, Any]:
        rows = []
        for at, name in enumerate(step, 1):
            row = self._rows[name]
            made = {
                "id": f"v{at}",
                "key": computing.called(name),
                "value": computing.renamed(row["value"], name[0], self._rows),
                "description": row.get("description") or name[1],
            }
            rows.append(made)
        return {
            "id": f"{VALUES}-{number}",
            "type": graph.EXPRESSION,
            "name": "省联社算的数",
            "position": {"x": 200, "y": 160 + 80 * number},
            "content": {
                "expressions": rows,
                "passThrough": True,
                "inputField": None,
                "outputPath": None,
                "executionMode": "single",
            },
        }

    def said(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """A table or a branch with the names that this document has for what is computed."""
        where, content = computing.of(node["id"]), node["content"]
        if not any(each == where for each, _ in self._given) or not where:
            return dict(node)

        def here(text: str) -> str:
            return computing.renamed(text, where, self._rows)

        if node["type"] == graph.SWITCH:
            said = [
                {**each, "condition": here(each.get("condition") or "")} for each in content["statements"]
            ]
            return {**node, "content": {**content, "statements": said}}
        inputs = [{**column, "field": here(column["field"])} for column in content["inputs"]]
        rules = [{k: cell if k == "_id" else here(cell) for k, cell in r.items()} for r in content["rules"]]
        return {**node, "content": {**content, "inputs": inputs, "rules": rules}}

    def to_ask(self, names: set[computing.Name]) -> list[Fact]:
        """What the table of silence may look at, for which every value is as good as another."""
        plain = {name for _, name in names if name in self._known} or self.facts
        return [self._known[name] for name in sorted(plain)]


def _line(number: str, source: str, target: str) -> dict[str, str]:
    return {"id": number, "type": "edge", "sourceId": source, "targetId": target}


def _here(node: Mapping[str, Any]) -> dict[str, Any]:
    if "/" not in node["id"]:
        return dict(node)
    return {**node, "id": called(node["id"]), "name": node["name"][: graph.LONGEST_NAME]}


def _silent(stage: Stage, asked: list[Fact]) -> list[dict[str, Any]]:
    """The tables for whom the county has nothing to say: their one row is left out of every answer (`county.SILENT`).
    Two where only yes or no could be asked, since no cell says both."""
    if not asked:
        return []
    whole = [fact for fact in asked if fact.kind != "bool"]
    fact, contract = (whole or asked)[0], contracts.CONTRACTS[stage]
    outputs = [{"id": f"r{n}", "name": field, "field": field} for n, field in enumerate(contract.columns, 1)]
    said = {column["id"]: _nothing(column["field"], contract) for column in outputs}
    cells = ["true", "false"] if not whole and contract.conditions else [_any(fact) if whole else ""]
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
        for at, cell in enumerate(cells, 1)
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
    stage: Stage,
    node: Mapping[str, Any],
    rows: list[dict[str, str]],
    known: Catalogue,
    everyone: Mapping[str, Any] | None,
) -> tuple[dict[str, Any], set[str]]:
    """(node, names it uses). Columns no row fills are left out: every declared fact must be used."""
    table = node["content"]
    used = [c for c in table["inputs"] if any(row.get(c["id"], "") for row in rows)]
    if not used and not contracts.CONTRACTS[stage].conditions:
        # Rows for everyone: said aloud, as a condition every value meets, since a declared fact must be used. No cell
        # says yes as well as no, so of a table with such columns alone another fact is asked.
        used = [c for c in table["inputs"] if known[c["field"]].kind != "bool"][:1]
        used = used or ([dict(everyone)] if everyone else [])
        rows = [{**row, **{c["id"]: _any(known[c["field"]]) for c in used}} for row in rows]
    if table["hitPolicy"] == "first":
        rows = [*rows, _silence(table)]
    kept = {c["id"] for c in (*used, *table["outputs"])} | {"_id"}
    rules = [{key: cell for key, cell in row.items() if key in kept} for row in rows]
    names = {c["field"] for c in used} | _named(rules, known)
    return {**node, "content": {**table, "inputs": used, "rules": rules}}, names


def _everyone(stage: Stage, union: Document, known: Catalogue) -> dict[str, Any] | None:
    """A column for rows that speak of everyone: a fact the stage has in any case. None: there is no such fact."""
    names = sorted(set(nesting.declared(union)) & set(known.facts)) or contracts.CONTRACTS[stage].before
    fact = next((known[name] for name in names if known[name].kind not in ("bool", "date")), None)
    return {"id": "everyone", "name": fact.label, "field": fact.name} if fact else None


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
