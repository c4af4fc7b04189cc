"""Ranges of a column as people read them: yuan and per cent where the catalogue counts in fen and basis points."""

import re

from backend.domains.decision import facts

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
_SAID = {"fen": " 元", "bp": "%"}


def number(value: float) -> str:
    """With up to six figures behind the first, and never as a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.6g}"


def in_words(column: str, text: str) -> str:
    """`不到 2,466` of a share is `不到 24.66%`. A column the catalogue does not know, or that counts, stays."""
    fact = facts.catalogue().facts.get(column)
    kind = fact.kind if fact is not None else ""
    if kind not in _SAID:
        return _NUMBER.sub(
            lambda found: number(float(found[0].replace(",", ""))) if "e" in found[0] else found[0], text
        )
    return _NUMBER.sub(lambda found: _hundredth(float(found[0].replace(",", ""))) + _SAID[kind], text)


def _hundredth(value: float) -> str:
    text = f"{value / 100:,.2f}"
    return text.rstrip("0").rstrip(".")
