"""A case that is approved, and small ways to spoil it."""

import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backend.domains.decision import bundle, evaluate, facts, model, scorecard
from tests.made_live import make_live

CASES = Path(__file__).parents[2] / "data" / "cases"


def read(name: str) -> model.Case:
    return msgspec.json.decode((CASES / f"{name}.json").read_bytes(), type=model.Case)


def with_facts(case: model.Case, **changed: Any) -> model.Case:
    """The case with some facts set; `...` takes a fact out."""
    known = facts.catalogue()
    sources = {
        name: msgspec.structs.replace(given, facts=dict(given.facts)) for name, given in case.sources.items()
    }
    for name, value in changed.items():
        held = sources[known[name].source].facts
        if value is ...:
            held.pop(name, None)
        else:
            held[name] = value
    return msgspec.structs.replace(case, sources=sources)


def decide(case: model.Case, using: bundle.Bundle | None = None) -> model.Decision:
    return evaluate.evaluate(case, using or bundle.seeded()).decision


async def publish(tx: Any, documents: dict[model.Stage, Any]) -> None:
    """Let these documents decide for every product, as head office's approval does (domains/strategies)."""
    bundle.build(documents, scorecard.seeded(), keep=False)
    await tx.connection.execute("set local app.institution = '0000'")
    for stage, document in documents.items():
        await make_live(tx, "*", stage, document)
    await tx.connection.execute(f"set local app.institution = '{tx.institution_id}'")


@pytest.fixture
def good() -> model.Case:
    return read("approved_payroll")


@pytest.fixture
def documents() -> dict[model.Stage, Any]:
    return copy.deepcopy(bundle.seeded_documents())
