"""What head office's flow computes itself, as far as a county's document can compute it too (N4).

Pure. A name belongs to the document that gives it: of a flow whose sub-flows are laid out (`unfolding.py`), to the
nodes with the same way in front of their id. What a scorecard or a model gives, and whatever is made of it, is out of
reach: a county's document asks no model.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

from backend.domains.decision import expressions, graph, instrument
from backend.domains.decision.facts import Catalogue
from backend.domains.strategies import calculations
from backend.domains.strategies.model import Document

Name = tuple[str, str]
"""(the document it belongs to, as traces name it; the name)."""
Rows = dict[Name, Mapping[str, Any]]
"""The rows of calculations by the name they give."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_WHOLE = re.compile(rf"{_QUOTED.pattern}|{_NAME.pattern}", re.ASCII)
_LONGEST = 50
_UNREADABLE = (LookupError, TypeError, AttributeError)


def of(node: str) -> str:
    """The document a node of a laid out flow belongs to; '' for the flow's own."""
    return node.rpartition("/")[0]


def words(document: Document, place: str, known: Catalogue) -> Catalogue:
    """The catalogue with the names that the document around a node gives."""
    around = [node for node in document["nodes"] if of(node["id"]) == of(place)]
    return calculations.words({**document, "nodes": around}, known)


def all_words(document: Document, known: Catalogue) -> dict[str, Catalogue]:
    """`words` of each document of a laid out flow, the flow's own with ''."""
    wheres = {"", *(of(node["id"]) for node in document["nodes"])}
    return {where: words(document, f"{where}/", known) for where in wheres}


def reachable(document: Mapping[str, Any], known: Container[str]) -> Rows:
    """The calculations that need nothing but facts and each other. A node of a draft that is not written out gives
    nothing: its checks say so."""
    waiting: Rows = {}
    for node in document["nodes"]:
        if node["type"] == graph.EXPRESSION:
            with contextlib.suppress(*_UNREADABLE):
                waiting |= {(of(node["id"]), row["key"]): row for row in node["content"]["expressions"]}
    found: Rows = {}
    while True:
        more = {
            (where, name): row
            for (where, name), row in waiting.items()
            if (where, name) not in found
            and all(each in known or (where, each) in found for each in used(str(row.get("value", ""))))
        }
        if not more:
            return found
        found |= more


def used(text: str) -> set[str]:
    """The names in a formula or a condition."""
    return set(_NAME.findall(_QUOTED.sub(" ", text))) - expressions.WORDS


def hangs_on_more(node: Mapping[str, Any], document: Mapping[str, Any], within: Container[str]) -> bool:
    """Whether a table uses what `document` gives but a county's could not; `within` are the names that it could."""
    own: set[str] = set()
    for each in document["nodes"]:
        with contextlib.suppress(*_UNREADABLE):
            own |= {name for name in instrument.given_names(each) if name not in within}
    return not own.isdisjoint(_NAME.findall(json.dumps(node.get("content"), ensure_ascii=False)))


def steps(rows: Rows, asked: Iterable[Name]) -> list[list[Name]]:
    """What has to be computed for these names, each step by what the steps before it gave."""
    needed: set[Name] = set()
    waiting = [each for each in asked if each in rows]
    while waiting:
        each = waiting.pop()
        if each not in needed:
            needed.add(each)
            waiting += [(each[0], name) for name in used(rows[each]["value"]) if (each[0], name) in rows]
    found: list[list[Name]] = []
    while needed:
        ready = [
            each
            for each in sorted(needed)
            if needed.isdisjoint((each[0], name) for name in used(rows[each]["value"]))
        ]
        if not ready:
            return found  # a circle: the checks of the flow say so
        found.append(ready)
        needed -= set(ready)
    return found


def called(name: Name) -> str:
    """The name in a county's document, which is one for all sub-flows: two of them may give the same name."""
    where, said = name
    return f"{said[:_LONGEST]}_{hashlib.sha256(where.encode()).hexdigest()[:8]}" if where else said


def renamed(text: str, where: str, rows: Rows) -> str:
    """A cell, a formula or a condition of a document, with the names a county's document has for them."""
    if not where:
        return text
    return _WHOLE.sub(lambda m: called((where, m[0])) if (where, m[0]) in rows else m[0], text)
