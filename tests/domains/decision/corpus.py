"""A corpus of spoiled strategies: good documents, and ways to hurt them, each by name and by seed.

A mutation is **malformed** when no author can have meant it: a broken cell, a cut graph, a script. It must be
refused, or, should it get through, approve nobody the good document did not approve. A mutation is an **edit** when
somebody may mean it: another threshold, a milder verdict, one row less. An edit may change who is approved; that is
what review, scenarios and the head-office floor are for, so edits are counted apart and only have to behave.
"""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import msgspec

from backend.domains.decision import assess, bundle, gate
from backend.domains.decision.contracts import CONTRACTS
from backend.domains.decision.lint import Library
from backend.domains.decision.model import MOMENTS, Stage
from tests.domains.decision import documents as nodes
from tests.domains.decision.documents import entry, exit_node, line
from tests.domains.decision.mutations import MALFORMED, by_partner
from tests.domains.decision.spots import Act, Document, cell, results, tables, without


class Mutation(msgspec.Struct, frozen=True):
    base: str
    stage: Stage
    name: str
    malformed: bool
    document: Any
    library: Library


class Base(msgspec.Struct, frozen=True):
    name: str
    stage: Stage
    document: Document
    library: Library


def bases() -> list[Base]:
    """The ten seeded documents, and eligibility drawn with every kind of node."""
    found = [Base(str(s), s, d, Library()) for s, d in bundle.seeded_documents().items()]
    found += [Base(str(stage), stage, assess.seeded_document(stage), Library()) for stage in MOMENTS]
    return [*found, drawn()]


def drawn() -> Base:
    """Eligibility as a graph: its tables behind a switch, an expression, a scorecard, and in a sub-flow."""
    whole = bundle.seeded_documents()[Stage.ELIGIBILITY]
    card = bundle.seeded().card
    start = next(node for node in whole["nodes"] if node["type"] == "inputNode")
    tables = [node for node in whole["nodes"] if node["type"] == "decisionTableNode"]
    inner = {"nodes": [start, *tables, exit_node()], "edges": _between(start["id"], tables)}
    key = gate.hash_of(inner)
    names = {*json.loads(start["content"]["schema"])["properties"], *card.inputs, "bureau_found"}
    scored = nodes.custom("card", card.hash, output="points", low=0, high=1500)
    scored["content"]["kind"] = "scorecard"
    own = [
        nodes.flow("whole", key),
        nodes.switch("who", "bureau_found and bureau_queries_6m < 100", "*"),
        nodes.expression("load", {"asked": "bureau_queries_6m + bureau_lenders_open * 2"}),
        scored,
        nodes.rules("many", ["asked"], [["> 30", *nodes.rule("EL_LOAD")]]),
        nodes.rules("low", ["points"], [["< 100", *nodes.rule("EL_POINTS", "refer")]]),
        nodes.rules("none", ["bureau_found"], [["false", *nodes.rule("EL_THIN", "note")]]),
    ]
    lines = [
        line("facts", "whole"),
        line("facts", "who"),
        line("who", "load", "who-0"),
        line("who", "none", "who-1"),
        line("load", "many"),
        line("facts", "card"),
        line("card", "low"),
        *(line(each, "result") for each in ("whole", "many", "low", "none")),
    ]
    document = {"nodes": [entry(*sorted(names)), *own, exit_node()], "edges": lines}
    return Base("drawn", Stage.ELIGIBILITY, document, Library(flows={key: inner}, models={card.hash: card}))


def _between(start: str, tables: list[Document]) -> list[Document]:
    return [each for node in tables for each in (line(start, node["id"]), line(node["id"], "result"))]


def _threshold(old: str, draw: random.Random) -> str:
    digits = [at for at, each in enumerate(old) if each.isdigit()]
    if not digits:
        return old
    at = draw.choice(digits)
    return old[:at] + str(draw.randrange(10)) + old[at + 1 :]


def _swap_rows(document: Document, draw: random.Random) -> bool:
    draw.shuffle(draw.choice(tables(document))["rules"])
    return True


def _moved(document: Document, draw: random.Random) -> bool:
    draw.choice(document["nodes"])["position"] = {"x": draw.random() * 1000, "y": -draw.random()}
    return True


EDITS: dict[str, Act] = {
    "another threshold": cell(_threshold),
    "a milder verdict": cell(
        lambda old, _: old.replace("'decline'", "'refer'").replace("'refer'", "'note'"), results
    ),
    "other words": cell(lambda old, _: old[:-1] + "。'" if old.endswith("'") else old, results),
    "a row less": without(lambda d: max(tables(d), key=lambda t: len(t["rules"]))["rules"]),
    "rows in another order": _swap_rows,
    "a node drawn elsewhere": _moved,
    "a condition less": cell(lambda *_: ""),
}


def corpus(seed: int, per_act: int = 3) -> Iterator[Mutation]:
    """Every act on every base it applies to, `per_act` times."""
    draw = random.Random(seed)
    for base in bases():
        for acts, malformed in ((MALFORMED, True), (EDITS, False)):
            for name, act in acts.items():
                if act is by_partner and not CONTRACTS[base.stage].key_step:
                    continue  # there a partner's answer may be asked
                for _ in range(per_act):
                    document = copy.deepcopy(base.document)
                    if act(document, draw) and document != base.document:
                        yield Mutation(base.name, base.stage, name, malformed, document, base.library)
