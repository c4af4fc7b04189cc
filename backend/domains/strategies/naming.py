"""Which strategies ask a scorecard or model by a node of their own, or of a sub-flow they run (issue 3 §2)."""

from collections.abc import Mapping
from typing import Any

from backend.db.database import Tx
from backend.domains.decision import jdm
from backend.domains.decision import service as decisions
from backend.domains.strategies import repository
from backend.domains.strategies.model import UnionContent, Version


async def by_model(tx: Tx) -> dict[str, list[Version]]:
    """Head office's versions that are in use, approved, or wait for approval, by the hash of each model they ask."""
    held = [
        (each, each.content.document)
        for each in await repository.in_status(tx, ("live", "approved", "checked"))
        if isinstance(each.content, UnionContent) and (each.status != "checked" or each.submitted_at)
    ]
    flows = (await decisions.library(tx, [document for _, document in held])).flows
    found: dict[str, list[Version]] = {}
    for version, document in held:
        for model in sorted(_asked(document, flows)):
            found.setdefault(model, []).append(version)
    return found


def _asked(document: Mapping[str, Any], flows: Mapping[str, Any]) -> set[str]:
    inner = (flows[key] for key in jdm.flows(document) if key in flows)
    return {*jdm.models(document), *(model for each in inner for model in _asked(each, flows))}
