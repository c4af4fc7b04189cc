"""An ID number → the person of a loaded practice county, for the sandbox's systems.

`seed` leaves a small file with the plan beside the sandbox's memory; everything else is computed from it, so the
answers survive a restart and agree with the tables. Without a file, or for anybody else, there is no answer.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from backend.sandbox.county.plan import Plan

FOLDER = "practice"
_KEPT = 512


class Neighbour(msgspec.Struct, frozen=True):
    """Somebody of a practice county. `facts` by catalogue name, of bureau, core and data platform."""

    county: str
    name: str
    phone: str
    facts: dict[str, int | bool | str]


def path_of(data: Path, prefix: str) -> Path:
    return data / FOLDER / f"{prefix}.json"


def save(data: Path, plan: "Plan") -> None:
    """From now on the sandbox knows the county's people; the file is replaced as a whole."""
    path = path_of(data, plan.prefix)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(plan))
    fresh.replace(path)


def forget(data: Path, prefix: str) -> None:
    path_of(data, prefix).unlink(missing_ok=True)


class Counties:
    """The practice counties of a data directory; a file that appears or goes is noticed at the next question.

    The generator and its libraries are loaded by the first question about a county that is there.
    """

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER
        self._plans: dict[str, tuple[int, Plan]] = {}
        self._known: dict[tuple[int, str], Neighbour | None] = {}

    def find(self, id_number: str) -> Neighbour | None:
        """None for anybody who is not of a loaded county."""
        number = id_number.upper()
        held = self._plan(number[:2])
        if held is None:
            return None
        stamp, plan = held
        if (stamp, number) not in self._known:
            from backend.sandbox.county import lookup

            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[stamp, number] = lookup.neighbour(plan, number)
        return self._known[stamp, number]

    def claims(self, id_number: str) -> bool:
        """Whether the number is of a loaded county's region, be there such a person or not."""
        return self._plan(id_number[:2]) is not None

    def _plan(self, prefix: str) -> "tuple[int, Plan] | None":
        if not (prefix.isascii() and prefix.isdigit()):
            return None
        path = self._folder / f"{prefix}.json"
        try:
            stamp = path.stat().st_mtime_ns
            if prefix not in self._plans or self._plans[prefix][0] != stamp:
                from backend.sandbox.county import lookup

                self._plans[prefix] = stamp, lookup.read(path.read_bytes())
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            return None
        return self._plans[prefix]
