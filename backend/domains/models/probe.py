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

PEOPLE, STEPS, SLACK = 300, 33, 1e-4
"""How many people a graph is tried on, at how many values of each feature; sums of floats may differ by the last."""


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
    if isinstance(inner, trees.Trees) and (feature := _against_its_word(trees.CompiledTrees(inner))):
        return f"它说{feature}怎样影响分数，试出来却有相反的时候"
    values: dict[str, Any] = {name: _typical(name, inner) for name in compiled.inputs}
    try:
        score = compiled.score(values).score
    except Exception:  # whatever a foreign model does, it is not fit
        return "拿一位普通客户试打分，没有打出来"
    return "" if -100_000 < score < 100_000 else "打出来的分数大得离谱"


def _against_its_word(compiled: trees.CompiledTrees) -> str:
    """The first feature that moves the score against the trend the file tells. Reasons and the way to more rest on that
    word; on many people, since a whole proof would need every pair of leaves."""
    import numpy

    told, draw = compiled.card.features, numpy.random.default_rng(1)
    ends = [(each.worst, each.best) if each.trend else (each.typical, each.typical) for each in told]
    worst, best = numpy.array(ends, dtype=numpy.float32).T
    people = worst + (best - worst) * draw.random((PEOPLE, len(told)), dtype=numpy.float32)
    for at, feature in enumerate(told):
        if not feature.trend:
            continue
        bad = []
        for share in numpy.linspace(0, 1, STEPS, dtype=numpy.float32):
            people_now = people.copy()
            people_now[:, at] = worst[at] + (best[at] - worst[at]) * share
            bad.append(compiled.log_odds(people_now))
        if (numpy.diff(numpy.array(bad), axis=0) > SLACK).any():
            return feature.name
    return ""


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
