"""Small strategy documents to try checks on: tables from rows of cells, nodes of every kind, lines."""

import json
from typing import Any

import msgspec

from backend.domains.decision import contracts, facts, gate, lint
from backend.domains.decision.lint import Library
from backend.domains.decision.model import Stage

CATALOGUE = facts.catalogue()
QUERIES, LENDERS, KIND = "bureau_queries_6m", "bureau_lenders_open", "product_kind"


def entry(*names: str) -> dict[str, Any]:
    schema = gate.schema(names, facts.catalogue())
    return {
        "id": "facts",
        "type": "inputNode",
        "name": "输入",
        "position": {"x": 80, "y": 160},
        "content": {"schema": json.dumps(schema)},
    }


def exit_node() -> dict[str, Any]:
    return {
        "id": "result",
        "type": "outputNode",
        "name": "结果",
        "position": {"x": 640, "y": 160},
        "content": {"schema": ""},
    }


def table(stage: Stage, columns: list[str], rows: list[list[str]], *, name: str = "rules") -> dict[str, Any]:
    """Each row: one cell per column, then one per result of the stage's contract, quoted as they stand."""
    contract = contracts.CONTRACTS[stage]
    outputs = list(contract.columns)
    ids = [f"c{n}" for n, _ in enumerate(columns, 1)] + [f"r{n}" for n, _ in enumerate(outputs, 1)]
    content = {
        "hitPolicy": contract.hit_policy,
        "passThrough": False,
        "inputField": None,
        "outputPath": name,
        "executionMode": "single",
        "inputs": [{"id": f"c{n}", "name": field, "field": field} for n, field in enumerate(columns, 1)],
        "outputs": [{"id": f"r{n}", "name": field, "field": field} for n, field in enumerate(outputs, 1)],
        "rules": [
            {"_id": f"{name}-{n}", **dict(zip(ids, row, strict=True))} for n, row in enumerate(rows, 1)
        ],
    }
    return {
        "id": name,
        "type": "decisionTableNode",
        "name": name,
        "position": {"x": 340, "y": 80},
        "content": content,
    }


def line(source: str, target: str, handle: str = "") -> dict[str, Any]:
    found = {
        "id": f"{source}-{target}{handle}",
        "type": "edge",
        "sourceId": source,
        "targetId": target,
    }
    return {**found, "sourceHandle": handle} if handle else found


def graph(
    facts_node: dict[str, Any], nodes: list[dict[str, Any]], lines: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"nodes": [facts_node, *nodes, exit_node()], "edges": lines}


def single(stage: Stage, columns: list[str], rows: list[list[str]], *more: str) -> dict[str, Any]:
    """One table between input and output; `more` are facts used in results only."""
    made = table(stage, columns, rows)
    return graph(
        entry(*dict.fromkeys((*columns, *more))), [made], [line("facts", "rules"), line("rules", "result")]
    )


def rule(code: str, severity: str = "decline") -> list[str]:
    return [f"'{code}'", f"'{severity}'", "'有一件事要看一看'", "'到网点问一问'"]


def expression(number: str, values: dict[str, str], **more: Any) -> dict[str, Any]:
    rows = [
        {"id": f"{number}_{at}", "key": key, "value": cell} for at, (key, cell) in enumerate(values.items())
    ]
    content = {"expressions": rows, "passThrough": True, "inputField": None, "outputPath": None}
    return {
        "id": number,
        "type": "expressionNode",
        "name": f"算式 {number}",
        "position": {"x": 1.5, "y": -20},
        "content": {**content, "executionMode": "single", **more},
    }


def switch(number: str, *conditions: str) -> dict[str, Any]:
    """'*' is the default branch."""
    statements = [
        {"id": f"{number}-{at}", "condition": "" if each == "*" else each, "isDefault": each == "*"}
        for at, each in enumerate(conditions)
    ]
    return {
        "id": number,
        "type": "switchNode",
        "name": f"分支 {number}",
        "position": {"x": 0, "y": 0},
        "content": {"hitPolicy": "first", "statements": statements},
    }


def custom(number: str, hashed: str, **more: Any) -> dict[str, Any]:
    config = {"model": hashed, "output": "points", "low": 0, "high": 100, **more}
    return {
        "id": number,
        "type": "customNode",
        "name": f"模型 {number}",
        "position": {"x": 0, "y": 0},
        "content": {"kind": "model", "config": config},
    }


def flow(number: str, key: str) -> dict[str, Any]:
    content = {
        "key": key,
        "passThrough": False,
        "inputField": None,
        "outputPath": None,
        "executionMode": "single",
    }
    return {
        "id": number,
        "type": "decisionNode",
        "name": f"子流程 {number}",
        "position": {"x": 0, "y": 0},
        "content": content,
    }


def rules(
    number: str, columns: list[str], rows: list[list[str]], stage: Stage = Stage.ELIGIBILITY
) -> dict[str, Any]:
    return table(stage, columns, rows, name=number)


def chained() -> dict[str, Any]:
    """input → expression → table."""
    nodes = [
        expression("sum", {"asked": f"{QUERIES} + {LENDERS}", "busy": f"{QUERIES} > 3 and {LENDERS} > 2"}),
        rules("t", ["asked", "busy"], [["> 10", "", *rule("A")], ["", "true", *rule("B", "refer")]]),
    ]
    return graph(
        entry(QUERIES, LENDERS), nodes, [line("facts", "sum"), line("sum", "t"), line("t", "result")]
    )


def branched(*conditions: str, handles: int | None = None) -> dict[str, Any]:
    """input → switch → one table per branch."""
    count = len(conditions) if handles is None else handles
    nodes = [switch("s", *conditions)]
    lines = [line("facts", "s")]
    for at in range(count):
        nodes.append(rules(f"t{at}", [QUERIES], [[f"> {at + 3}", *rule(f"C{at}")]]))
        lines += [line("s", f"t{at}", f"s-{at}"), line(f"t{at}", "result")]
    looked = [name for name in (KIND, LENDERS) if any(name in each for each in conditions)]
    return graph(entry(QUERIES, *looked), nodes, lines)


def findings(document: Any, library: Library = lint.NOTHING, stage: Stage = Stage.ELIGIBILITY) -> list[str]:
    found = lint.check(stage, document, CATALOGUE, library)
    return [str(each) for each in found if each.severity == contracts.ERROR]


def ran(document: Any, values: dict[str, Any], library: Library = lint.NOTHING) -> gate.Ran:
    compiled = gate.compile_stage(Stage.ELIGIBILITY, document, CATALOGUE, library)
    return gate.run(compiled, values, CATALOGUE)


class Steady:
    """A model that gives a fixed answer."""

    inputs = (QUERIES,)

    def __init__(self, answer: Any, hashed: str = "m" * 64) -> None:
        self.answer, self.hash = answer, hashed

    card = None

    def extremes(self):
        return 0, 100

    def score(self, values):
        assert type(values[QUERIES]) is int
        if isinstance(self.answer, Exception):
            raise self.answer
        return msgspec.defstruct("Scored", [("score", Any)])(self.answer)


def with_model(**more: Any) -> dict[str, Any]:
    nodes = [custom("m", "m" * 64, **more), rules("t", ["points"], [["> 50", *rule("P")]])]
    return graph(entry(QUERIES), nodes, [line("facts", "m"), line("m", "t"), line("t", "result")])


INNER = single(Stage.ELIGIBILITY, [QUERIES], [["> 3", *rule("A")], ["> 9", *rule("B")]])
KEY = gate.hash_of(INNER)


def outer(key: str = KEY, *names: str) -> dict[str, Any]:
    nodes = [flow("f", key), rules("t", [LENDERS], [["> 3", *rule("L")]])]
    lines = [line("facts", "f"), line("facts", "t"), line("f", "result"), line("t", "result")]
    return graph(entry(*(names or (QUERIES, LENDERS))), nodes, lines)
