"""Places of a strategy document that can be hurt, and how one of them is changed."""

import copy
import random
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
Act = Callable[[Document, random.Random], bool]
"""Hurts the document in place; False where it finds nothing to hurt."""


def of(document: Document, *kinds: str) -> list[Document]:
    return [node for node in document["nodes"] if node["type"] in kinds]


def tables(document: Document) -> list[Document]:
    return [node["content"] for node in of(document, "decisionTableNode")]


def cells(document: Document, *, filled: bool = True) -> list[tuple[Document, str]]:
    """(row, column id) of conditions."""
    return [
        (rule, column["id"])
        for table in tables(document)
        for rule in table["rules"]
        for column in table["inputs"]
        if not filled or rule.get(column["id"], "").strip()
    ]


SUMS = ("amount", "bp", "pace_days")
_WORDS = ("text", "advice", "label")


def results(document: Document, *fields: str) -> list[tuple[Document, str]]:
    """(row, column id) of results; of these fields only, or of all but sums."""
    return [
        (rule, column["id"])
        for table in tables(document)
        for rule in table["rules"]
        for column in table["outputs"]
        if (column["field"] in fields if fields else column["field"] not in SUMS)
    ]


def verdicts(document: Document) -> list[tuple[Document, str]]:
    """Results that are codes or one of a few words."""
    fields = {column["field"] for table in tables(document) for column in table["outputs"]}
    return results(document, *(fields - {*_WORDS, *SUMS}))


def cell(make: Callable[[str, random.Random], Any], where: Callable[[Document], Any] = cells) -> Act:
    """Replace one cell."""

    def act(document: Document, draw: random.Random) -> bool:
        found = where(document)
        if not found:
            return False
        row, column = draw.choice(found)
        row[column] = make(row[column], draw)
        return True

    return act


def one(where: Callable[[Document], list[Any]], change: Callable[[Any, random.Random], None]) -> Act:
    """Change one of the things found."""

    def act(document: Document, draw: random.Random) -> bool:
        found = where(document)
        if not found:
            return False
        change(draw.choice(found), draw)
        return True

    return act


def pick(*choices: Any) -> Callable[[str, random.Random], Any]:
    return lambda _, draw: copy.deepcopy(draw.choice(choices))


def without(where: Callable[[Document], list[Any]]) -> Act:
    """Take one element out of a list."""

    def act(document: Document, draw: random.Random) -> bool:
        found = where(document)
        if not found:
            return False
        found.remove(draw.choice(found))
        return True

    return act


def setting(kind: str, *choices: dict[str, Any]) -> Act:
    return one(
        lambda d: of(d, kind), lambda node, draw: node["content"].update(copy.deepcopy(draw.choice(choices)))
    )


def statements(document: Document) -> list[Document]:
    return [each for node in of(document, "switchNode") for each in node["content"]["statements"]]


def expressions(document: Document) -> list[Document]:
    return [each for node in of(document, "expressionNode") for each in node["content"]["expressions"]]


def config(document: Document) -> list[Document]:
    return [node["content"]["config"] for node in of(document, "customNode")]
