"""`python -m backend.domains.models.probe`: can the model on the standard input be used at all? Answers one clause,
empty when it can.

The graph of trees is run here for the first time, after a look at what it is made of (`tree_graph`).
"""

import base64
import sys
from typing import Any

from backend.core.errors import Problem
from backend.domains.decision import facts, tree_graph, trees
from backend.domains.models import apart, artefacts
from backend.domains.models.offsets import CountyModel


def why(body: bytes) -> str:
    """What keeps the model from being used."""
    try:
        compiled = artefacts.compile_model(body)
        read = artefacts.read(body)
    except Problem as problem:
        return problem.text
    inner = artefacts.CompiledCountyModel(read).plain if isinstance(read, CountyModel) else read
    if isinstance(inner, trees.Trees) and (found := tree_graph.why_not(base64.b64decode(inner.onnx))):
        return found
    values: dict[str, Any] = {name: _typical(name, inner) for name in compiled.inputs}
    try:
        score = compiled.score(values).score
    except Exception:  # whatever a foreign model does, it is not fit
        return "拿一位普通客户试打分，没有打出来"
    return "" if -100_000 < score < 100_000 else "打出来的分数大得离谱"


def _typical(name: str, model: Any) -> Any:
    for feature in getattr(model, "features", []):
        if feature.name == name:
            return feature.typical if feature.categories is None else next(iter(feature.categories), "")
    for column in getattr(model, "columns", []):
        if column.name == name:
            return None
    known = facts.catalogue().facts.get(name)
    return known.low if known is not None else ""


if __name__ == "__main__":
    apart.limited()
    sys.stdout.write(why(sys.stdin.buffer.read()))
