"""Faults on demand, around the systems: what a network and a bad day do to calls (trust §1).

A fault matches a system and an operation (the path after the system's prefix, or a pattern of it). It
fires a number of `times`, or at a `rate` spread evenly over the matching calls: no dice are thrown, so a
failing run can be repeated.
"""

import asyncio
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

import httpx
import msgspec

from backend.sandbox.store import Store, decoded, encoded

Kind = Literal[
    "status",
    "status_after",
    "delay",
    "drop_before",
    "drop_after",
    "duplicate",
    "reorder",
    "hang",
    "half_open",
    "errcode",
]
KINDS = get_args(Kind)


class Fault(msgspec.Struct, frozen=True):
    fault_id: int
    system: str
    operation: str
    fault: Kind
    args: dict[str, Any]
    times: int | None = None
    rate: float | None = None
    seen: int = 0
    hit: int = 0


class Dropped(httpx.RemoteProtocolError):
    """The line went dead. Through ASGITransport a client meets it as the very error of a real drop."""

    def __init__(self) -> None:
        super().__init__("the sandbox dropped the connection")


class Faults:
    def __init__(self, store: Store) -> None:
        self._store = store

    def set(
        self,
        *,
        system: str,
        operation: str,
        fault: Kind,
        times: int | None,
        rate: float | None,
        args: dict[str, Any],
    ) -> int:
        """`times` counts down; with neither `times` nor `rate` the fault fires once."""
        if times is None and rate is None:
            times = 1
        cursor = self._store.run(
            "insert into faults (system, operation, fault, times, rate, args) values (?, ?, ?, ?, ?, ?)",
            *(system, operation, fault, times, rate, encoded(args)),
        )
        return int(cursor.lastrowid or 0)

    def all(self) -> list[Fault]:
        rows = self._store.rows("select * from faults order by fault_id")
        return [msgspec.convert({**row, "args": decoded(row["args"])}, Fault) for row in rows]

    def clear(self, fault_id: int | None = None) -> None:
        if fault_id is None:
            self._store.run("delete from faults")
        else:
            self._store.run("delete from faults where fault_id = ?", fault_id)

    def firing(self, system: str, operation: str) -> list[Fault]:
        """The faults that hit this call; each is counted."""
        fired = []
        for fault in self.all():
            if fault.system != system or not _covers(fault.operation, operation):
                continue
            fires = _fires(fault)
            self._store.run(
                "update faults set seen = seen + 1, hit = hit + ?, times = times - ? where fault_id = ?",
                *(int(fires), int(fires), fault.fault_id),
            )
            if fires:
                fired.append(fault)
        self._store.run("delete from faults where times is not null and times <= 0")
        return fired


def _covers(pattern: str, operation: str) -> bool:
    return pattern == operation.split("/", 1)[0] or fnmatchcase(operation, pattern)


def _fires(fault: Fault) -> bool:
    if fault.times is not None:
        return fault.times > 0
    rate = fault.rate or 0.0
    return int((fault.seen + 1) * rate) > int(fault.seen * rate)


async def wait(fault: Fault) -> None:
    """What `delay` and `hang` do; a hang outlasts every sensible deadline."""
    usual = 1.0 if fault.fault == "delay" else 30.0
    await asyncio.sleep(float(fault.args.get("seconds", usual)))
