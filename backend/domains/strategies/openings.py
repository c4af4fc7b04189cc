"""What of a document head office could open to counties: every number whose tighter direction is plain (N4)."""

from typing import Literal

import msgspec

from backend.domains.decision.facts import Catalogue
from backend.domains.decision.model import Stage
from backend.domains.strategies import cells, computing, overlays
from backend.domains.strategies.model import Document, Parameter


class Openable(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a refusing row, or the amount of a cap. `place` and `cell` in words; `unit` fen, bp or int,
    `counts` what a whole number of it counts (次, 个月); `number` as it stands; `label` what a county would read."""

    table: str
    table_name: str
    row: str
    column: str
    place: str
    cell: str
    unit: str
    counts: str
    number: int
    tighter: Literal["lower", "higher"]
    label: str

    @property
    def spot(self) -> tuple[str, str, str]:
        return self.table, self.row, self.column


def openable(stage: Stage, document: Document, known: Catalogue) -> list[Openable]:
    """In the order of the page. A draft that is no whole flow opens nothing."""
    found = []
    for number, node in overlays.tables(document).items():
        table = node["content"]
        columns = [column["id"] for column in (*table["inputs"], *table["outputs"])]
        words = computing.words(document, number, known)
        for rule in table["rules"]:
            for column in columns:
                one = _one(stage, document, (number, str(rule.get("_id")), column), words)
                if one is not None:
                    found.append(one)
    return found


def _one(stage: Stage, document: Document, at: tuple[str, str, str], known: Catalogue) -> Openable | None:
    table, row, column = at
    asked = Parameter(id="", label="", table=table, row=row, column=column, low=0, high=0, tighter="lower")
    try:
        spot = overlays.Spot(stage, document, asked, known)
        value = spot.value()
    except (LookupError, StopIteration):
        return None
    if value is None:
        return None
    operator, number = value
    return Openable(
        table=table,
        table_name=spot.node["name"],
        row=row,
        column=column,
        place=f"{spot.place} {spot.fact.label if spot.fact else '金额'}",
        cell=spot.shown,
        unit=spot.unit,
        counts=spot.fact.unit if spot.fact is not None and spot.unit == "int" else "",
        number=number,
        tighter="lower" if operator in ("", ">", ">=") else "higher",
        label=_label(spot, operator),
    )


def _label(spot: overlays.Spot, operator: str) -> str:
    if spot.fact is None:
        outputs = {column["field"]: column["id"] for column in spot.node["content"]["outputs"]}
        name = str(spot.rule.get(outputs.get("label", ""), "")).strip("'\"")
        return f"{name or '额度'}最高多少"
    return f"{spot.fact.label}{cells.SAID[operator]}多少{spot.done}"
