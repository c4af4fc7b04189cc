"""The numbers head office opened at a stage, as a county's page shows them (N4)."""

import msgspec

from backend.domains.decision import facts
from backend.domains.strategies import overlays
from backend.domains.strategies.model import CountyContent, Finding, Parameter, UnionContent, Version


class Knob(msgspec.Struct, frozen=True):
    """A number head office opened: its band, what head office says, what the county set ('' for nothing)."""

    parameter: Parameter
    unit: str
    low: str
    high: str
    union: str
    value: str
    wrong: str = ""


def knobs(version: Version, floor: UnionContent, findings: list[Finding]) -> tuple[Knob, ...]:
    """What head office opened at this stage, for a county's form; nothing on a page of the union."""
    if not isinstance(version.content, CountyContent):
        return ()
    said = {(each.node, each.row, each.column): each.sentence for each in findings}
    made = []
    for parameter, cell in overlays.opened_cells(floor, version.stage, facts.catalogue()):
        unit = overlays.unit(floor, parameter)
        value = version.content.parameters.get(parameter.id)
        made.append(
            Knob(
                parameter,
                {"fen": "元", "bp": "%"}.get(unit, ""),
                overlays.amount(parameter.low, unit),
                overlays.amount(parameter.high, unit),
                cell,
                "" if value is None else plain_number(value, unit),
                said.get((parameter.table, parameter.row, parameter.column), ""),
            )
        )
    return tuple(made)


def plain_number(value: int, unit: str) -> str:
    """In yuan or percent where the unit is fen or basis points."""
    return f"{value / 100:g}" if unit == "bp" else f"{value / 100:.15g}" if unit == "fen" else str(value)
