"""One figure of `./xiaodai bench`: what was measured, the ceiling measured beside it, and whether it is enough.

Rounds of ours and of the ceiling take turns. A part of a ceiling is told by the medians of both; CPU time by
itself by the least of the rounds, since what others do on the machine only ever adds to it.
"""

from typing import Any

Figure = dict[str, Any]


def at_most(name: str, value: float, unit: str, most: float, ceiling: float, ceiling_of: str) -> Figure:
    """A goal in the figure's own unit; the ratio tells how far it is from the ceiling."""
    return _figure(name, value, unit, ceiling, ceiling_of, f"≤{most:g} {unit}", value <= most)


def over(name: str, value: float, unit: str, most: float, ceiling: float, ceiling_of: str) -> Figure:
    """So many times the ceiling at most (less is better)."""
    return _figure(name, value, unit, ceiling, ceiling_of, f"≤{most:g}×", value / ceiling <= most)


def share(name: str, value: float, unit: str, least: float, ceiling: float, ceiling_of: str) -> Figure:
    """That part of the ceiling at least (more is better)."""
    return _figure(name, value, unit, ceiling, ceiling_of, f"≥{least:g}×", value / ceiling >= least)


def told(name: str, value: float, unit: str) -> Figure:
    """Beside the figures that have a goal."""
    return {"name": name, "value": _short(value), "unit": unit, "met": True}


def _figure(
    name: str, value: float, unit: str, ceiling: float, ceiling_of: str, goal: str, met: bool
) -> Figure:
    return {
        "name": name,
        "value": _short(value),
        "unit": unit,
        "ceiling": _short(ceiling),
        "ceiling_of": ceiling_of,
        "ratio": round(value / ceiling, 3),
        "goal": goal,
        "met": met,
    }


def _short(value: float) -> float:
    return round(value, 2) if value < 100 else round(value)
