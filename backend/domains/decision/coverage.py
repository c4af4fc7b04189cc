"""Gaps, overlaps and dead rows of one table, exact over the values its columns may have (N4's boxes).

Every claim comes with one example in words. Conditions on other facts count as reaching what they surely reach
and as touching what they may touch, so that coverage is never claimed falsely.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from backend.domains.decision import expressions, facts, regions
from backend.domains.decision.contracts import NAMES, WARNING, Contract
from backend.domains.decision.facts import Fact
from backend.domains.decision.regions import Box

_TOLD = 20
"""Overlaps told of one table; the rest would be read by nobody."""

_QUICK = 4_000
"""Comparisons spent on whether one row is dead."""


class Row(msgspec.Struct, frozen=True):
    """A row as boxes: what it surely and what it possibly matches. `filled` are its columns with a condition,
    `key` its fixed name, `output` all it gives."""

    id: str
    filled: tuple[str, ...]
    under: Box
    over: Box
    key: str
    output: tuple[str, ...]


Say = Callable[[str, str, str], None]
"""`say(row id, sentence, severity)`; row id '' for the table."""


def check(columns: Sequence[Fact], rows: Sequence[Row], contract: Contract, say: Say, *, alone: bool) -> None:
    """`alone`: no other table can supply a required name."""
    if contract.hit_policy == "first":
        _first(columns, rows, say)
        return
    for row, sentence in _told_twice(rows):
        say(row, sentence, WARNING)
    for count, (row, sentence) in enumerate(_overlaps(columns, rows, contract)):
        if count < _TOLD:
            say(row, sentence, WARNING)
    if alone and contract.names:
        _names(columns, rows, contract, say)


def _first(columns: Sequence[Fact], rows: Sequence[Row], say: Say) -> None:
    """In a table whose first matching row counts, every value needs a row and every row a value."""
    whole = everything(columns)
    try:
        left = regions.uncovered(whole, [row.under for row in rows])
    except regions.TooLarge:
        say("", "这张表太复杂，没法确认每种情形都有一行，请在最后加一行没有条件的", "error")
    else:
        if left is not None:
            say("", f"{example(columns, left)}时没有一行适用", "error")
    told = 0
    for at, row in enumerate(rows):
        if all(row.over) and _inside(row.over, [each.under for each in rows[:at]]):
            say(row.id, "这一行前面的各行已经都管到了，永远轮不到它", "error")
        elif told < _TOLD and (found := _shared(columns, rows, at)):
            say(row.id, found, WARNING)
            told += 1


def _shared(columns: Sequence[Fact], rows: Sequence[Row], at: int) -> str:
    """A case of which an earlier row on the same columns says something else; '' without one. Rows on other columns are
    put in front of each other on purpose."""
    mine = rows[at]
    for number, first in enumerate(rows[:at], 1):
        both = regions.common(first.under, mine.under) if first.filled == mine.filled else None
        if both is not None and first.output != mine.output:
            point = example(columns, both)
            return f"{point}时第 {number} 行和第 {at + 1} 行都说到，按先写的第 {number} 行办"
    return ""


def _inside(box: Box, covers: Sequence[Box]) -> bool:
    """Whether the covers surely hold the whole box; no when that is too much to find out."""
    try:
        return regions.uncovered(box, covers, _QUICK) is None
    except regions.TooLarge:
        return False


def _told_twice(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Rows of a collecting table whose every case another row with the same result reaches already."""
    for at, row in enumerate(rows):
        # Of two equal rows only the later one is too many.
        held = [
            other.under
            for n, other in enumerate(rows)
            if n != at and other.output == row.output and (n < at or other.under != row.under)
        ]
        if held and all(row.over) and _inside(row.over, held):
            yield row.id, "这一行多余：别的行已经给出同样的结果"


def _overlaps(columns: Sequence[Fact], rows: Sequence[Row], contract: Contract) -> Iterator[tuple[str, str]]:
    """Two rows that answer one question at once: the same columns, or the same part of a sum or limit.

    Rows on different columns are meant to be true together: every failing reason is told (A6-02).
    """
    for at, second in enumerate(rows):
        for number, first in enumerate(rows[:at], 1):
            same = first.key == second.key if contract.names else first.filled == second.filled
            both = regions.common(first.under, second.under) if same else None
            if both is not None and first.output != second.output:
                yield second.id, f"{example(columns, both)}时第 {number} 行和第 {at + 1} 行都命中"


def _names(columns: Sequence[Fact], rows: Sequence[Row], contract: Contract, say: Say) -> None:
    """Where a required part has no row the stage has no result, and a person must decide."""
    for name in contract.names:
        try:
            left = regions.uncovered(everything(columns), [row.under for row in rows if row.key == name])
        except regions.TooLarge:
            continue
        if left is not None:
            say("", f"{example(columns, left)}时没有“{NAMES.get(name, name)}”这一项，会转人工", WARNING)


def everything(columns: Sequence[Fact]) -> Box:
    return tuple(expressions.domain(fact) for fact in columns)


def example(columns: Sequence[Fact], box: Box) -> str:
    """One point of a box in words; columns whose value does not matter are left out."""
    point = regions.lowest(box)
    told = [
        spoken(fact, value)
        for fact, part, value in zip(columns, box, point, strict=True)
        if part != expressions.domain(fact)
    ]
    return "、".join(told) or "任何情形"


def spoken(fact: Fact, place: int) -> str:
    """'近 6 个月贷款查询 7 次', '征信有记录为否', '信用等级为 A'."""
    if fact.kind == "bool":
        return f"{fact.label}为{'是' if place else '否'}"
    if fact.kind == "enum":
        return f"{fact.label}为 {facts.spoken(fact, fact.members[place])}"
    value = facts.spoken(fact, place)
    return (
        f"{fact.label} {value}"
        if fact.kind in ("fen", "bp")
        else f"{fact.label} {value} {fact.unit}".rstrip()
    )
