"""Small strategy documents to try checks on: tables from rows of cells, nodes, lines."""

import json
from typing import Any

from backend.domains.decision import contracts, facts, gate
from backend.domains.decision.model import Stage


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
