"""Two versions of one stage beside each other, row by row and cell by cell, as a risk officer reads them (A3-33).

A county's version is shown as what applies to its customers: head office's tables with the county's numbers and rows
in them (`overlays.laid_over`). So two of the union, two of a county and one of each compare alike.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from backend.domains.decision.facts import Catalogue
from backend.domains.decision.model import Stage
from backend.domains.strategies import calculations, cells, nesting, overlays
from backend.domains.strategies.cells import Column
from backend.domains.strategies.diff import said
from backend.domains.strategies.model import Document
from backend.domains.strategies.nesting import Flows

Kind = Literal["added", "removed", "changed", "same"]
KINDS: dict[str, str] = {"added": "新增", "removed": "删去", "changed": "修改", "same": "没变"}


class Cell(msgspec.Struct, frozen=True):
    """`before` and `after` in words, '' on the side where the row does not stand."""

    label: str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        return self.before != self.after


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`before` and `after`: its number on each side, 0 where it does not stand. Cells nobody filled are left out."""

    kind: Kind
    before: int
    after: int
    conditions: tuple[Cell, ...]
    results: tuple[Cell, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` of the table as a whole; `counts` rows by kind; `moved`: the order changed where it counts."""

    id: str
    name: str
    kind: Kind
    rows: tuple[Row, ...]
    moved: bool

    def count(self, kind: str) -> int:
        return sum(row.kind == kind for row in self.rows)

    @property
    def changed(self) -> bool:
        return self.moved or self.kind in ("added", "removed") or self.count("same") < len(self.rows)


def tables(
    stage: Stage, before: Document, after: Document, known: Catalogue, flows: Flows
) -> tuple[Table, ...]:
    """Every table of either side, in the order of the later one, the gone ones last; then those of the sub-flows
    (`flows`, by hash). Raises `LookupError`, `TypeError` or `AttributeError` for a draft that is no whole flow."""
    sides = [{part.path: part for part in nesting.parts(side, flows)} for side in (before, after)]
    found: list[Table] = []
    for path in dict.fromkeys((*sides[1], *sides[0])):
        part, pair = sides[1].get(path) or sides[0][path], [side.get(path) for side in sides]
        one, other = (each.document if each else {"nodes": [], "edges": []} for each in pair)
        within = part.called + nesting.BETWEEN if part.path else ""
        found += [
            msgspec.structs.replace(each, name=within + each.name)
            for each in _of_document(stage, one, other, known)
        ]
    return tuple(found)


def _of_document(stage: Stage, before: Document, after: Document, known: Catalogue) -> list[Table]:
    old, new = overlays.tables(before), overlays.tables(after)
    known = calculations.words(after, calculations.words(before, known))
    numbers = [*new, *(number for number in old if number not in new)]
    return [_table(stage, old.get(number), new.get(number), known) for number in numbers]


def _table(
    stage: Stage, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, known: Catalogue
) -> Table:
    node = new or old
    assert node is not None
    sides = [_rules(old), _rules(new)]
    columns = {column.id: column for side in (old, new) if side for column in _columns(stage, side, known)}
    order = [*sides[1], *(row for row in sides[0] if row not in sides[1])]
    rows = tuple(_row(number, sides[0], sides[1], list(columns.values()), known) for number in order)
    shared = [[row for row in side if row in sides[0] and row in sides[1]] for side in sides]
    first = bool(new and new["content"].get("hitPolicy") == "first")
    whole: Kind = "added" if old is None else "removed" if new is None else "same"
    if whole == "same" and any(row.kind != "same" for row in rows):
        whole = "changed"
    return Table(
        id=node["id"], name=node["name"], kind=whole, rows=rows, moved=first and shared[0] != shared[1]
    )


def _columns(stage: Stage, node: Mapping[str, Any], known: Catalogue) -> list[Column]:
    return cells.columns(stage, node["content"], known)


def _rules(node: Mapping[str, Any] | None) -> dict[str, tuple[int, dict[str, str]]]:
    """Row id → (number on the page, the row)."""
    rules = node["content"]["rules"] if node else []
    return {rule["_id"]: (number, rule) for number, rule in enumerate(rules, 1)}


def _row(
    number: str,
    old: Mapping[str, tuple[int, dict[str, str]]],
    new: Mapping[str, tuple[int, dict[str, str]]],
    columns: list[Column],
    known: Catalogue,
) -> Row:
    (first, before), (second, after) = old.get(number, (0, None)), new.get(number, (0, None))
    made = [
        (
            column,
            Cell(
                column.label,
                "" if before is None else said(before.get(column.id, ""), column, known),
                "" if after is None else said(after.get(column.id, ""), column, known),
            ),
        )
        for column in columns
        if any(side is not None and side.get(column.id, "") for side in (before, after))
    ]
    changed = any(cell.changed for _, cell in made)
    kind: Kind = (
        "added" if before is None else "removed" if after is None else "changed" if changed else "same"
    )
    return Row(
        kind=kind,
        before=first,
        after=second,
        conditions=tuple(cell for column, cell in made if column.kind == "condition"),
        results=tuple(cell for column, cell in made if column.kind != "condition"),
    )
