"""Reason codes in words, of the very documents a trial ran: a code says nothing to who reads a table (A6-02)."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from backend.domains.decision import facts
from backend.domains.decision.contracts import NAMES
from backend.domains.trials.model import Plan

_HOLE = re.compile(r"\{(\w+)\}")
_TOTAL = "评分合起来不够"


def words(plan: Plan) -> dict[str, str]:
    """Sentences by reason code. A code of no rule, such as a missing source's, is left out."""
    known = facts.catalogue().facts
    found = {f"SC_{name.upper()}": f"评分：{fact.label}" for name, fact in known.items()}
    found |= {f"LIMIT_{name.upper()}": f"额度受“{label}”限制" for name, label in NAMES.items()}
    found["SC_TOTAL"] = _TOTAL
    for row in _every_row(plan):
        if row.get("code") and row.get("text"):
            found[row["code"]] = _HOLE.sub(lambda hole: _named(hole[1]), row["text"])
        if row.get("cap") and row.get("label"):
            found[f"LIMIT_{row['cap'].upper()}"] = f"{row['label']}不够"
    return found


def _every_row(plan: Plan) -> Iterator[dict[str, str]]:
    """Of both sides; what is tried comes last, so its words stand."""
    for side in (plan.base, plan.draft):
        for recipe in side.recipes if side is not None else ():
            for key in (*recipe.strategies.values(), *recipe.overlays.values(), *recipe.flows.values()):
                yield from _rows(msgspec.json.decode(side.texts[key]))  # type: ignore[union-attr]


def _rows(document: Any) -> Iterator[dict[str, str]]:
    """Output cells by field of every row of every table."""
    for node in document.get("nodes", ()):
        table = node.get("content") or {}
        fields = {column["id"]: column["field"] for column in table.get("outputs", ())}
        for rule in table.get("rules", ()):
            yield {field: str(rule.get(number, "")).strip("'\"") for number, field in fields.items()}


def _named(name: str) -> str:
    known = facts.catalogue().facts
    return f"（{known[name].label}）" if name in known else "…"
