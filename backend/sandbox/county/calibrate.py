"""Holding the county to the totals of A10: two numbers set by a first pass over it, and the check of what came out.

The pass sees every household (villages and towns differ too much for a part to stand for all), so the two numbers
follow from seed and size alone.
"""

import math
from typing import Any

import msgspec
import numpy as np

from backend.sandbox.county import homes as living
from backend.sandbox.county import lending, records
from backend.sandbox.county import plan as plans
from backend.sandbox.county import rings as fraud
from backend.sandbox.county.draws import Array
from backend.sandbox.county.plan import Check, Plan

_PASS = plans.BLOCK * 100


def calibrated(plan: Plan) -> Plan:
    """The plan with `limit_scale` and `idle_share` so that mean line and mean balance are A10's."""
    ranges = range(0, plan.households, _PASS)
    parts = [_wanted(plan, first, min(plan.households, first + _PASS)) for first in ranges]
    raw, idle, part = (np.concatenate([each[n] for each in parts]) for n in range(3))
    scale = _solved(lambda x: _average(lending.scaled(raw, x)) - plans.GRANTED / plans.HOUSEHOLDS, 0.01, 20.0)
    lines = lending.scaled(raw, scale)
    wanted = _average(lines) * plans.BALANCE / plans.GRANTED
    share = _solved(lambda x: wanted - _average(lending.used(lines, idle, part, x)), 0.0, 0.2)
    return msgspec.structs.replace(plan, limit_scale=scale, idle_share=share)


def _wanted(plan: Plan, first: int, end: int) -> tuple[Array, Array, Array]:
    """(line before scaling, draw of idleness, part used when idle) of a range."""
    home = living.homes(plan, np.arange(first, end))
    found = fraud.rings(plan, home.household)
    who = lending.heads(plan, home, found)
    known = records.facts(plan.draws, who) | lending.applied(plan, home, found)
    owed = lending.borrowing(plan, home, who, known)
    return owed.raw, owed.idle, owed.idle_part


def _average(amounts: Array) -> float:
    """By a whole-number sum, which does not depend on the order."""
    return int(amounts.sum()) / len(amounts)


def _solved(rising: Any, low: float, high: float) -> float:
    """The zero of a rising function by halving; the nearer end when there is none between."""
    for _ in range(40):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


class Totals(msgspec.Struct, kw_only=True):
    """Sums over all slices, whole numbers, so their order does not matter."""

    households: int = 0
    people: int = 0
    granted: int = 0
    balance: int = 0
    cd_households: int = 0
    cd_loans: int = 0
    cd_amount: int = 0
    defaulted: int = 0
    farmers: int = 0
    ring_members: int = 0
    highest_line: int = 0
    officers: dict[int, int] = {}

    def add(self, other: "Totals") -> None:
        for name in self.__struct_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if name == "highest_line":
                self.highest_line = max(mine, theirs)
            elif name == "officers":
                for officer, count in theirs.items():
                    mine[officer] = mine.get(officer, 0) + count
            else:
                setattr(self, name, mine + theirs)


_LEAST_ALLOWED = 0.01
_SIGMAS = 4.0


def checks(plan: Plan, got: Totals) -> list[Check]:
    """Every total of A10 scaled to the county's size: 1 % off at most, or what chance allows of a small one."""
    size = plan.households / plans.HOUSEHOLDS
    cd = plans.CD_HOUSEHOLDS * size
    found = [
        _check("A10-03", "授信户数", "户", plan.households, got.households, 0.0),
        _check("A10-04", "授信金额", "分", plans.GRANTED * size, got.granted, 0.6 / _root(plan.households)),
        _check("A10-05", "用信余额", "分", plans.BALANCE * size, got.balance, 0.6 / _root(plan.households)),
        _check("A10-04", "户均授信", "分", plans.GRANTED / plans.HOUSEHOLDS, _mean(got.granted, got.households),
               0.6 / _root(plan.households)),
        _check("A10-05", "户均余额", "分", plans.BALANCE / plans.HOUSEHOLDS, _mean(got.balance, got.households),
               0.6 / _root(plan.households)),
        _check("A10-05", "用信比例", "%", plans.BALANCE / plans.GRANTED * 100,
               _mean(got.balance, got.granted) * 100, 0.02 / _root(plan.households)),
        _check("A10-11", "存单贷户数", "户", cd, got.cd_households, 1 / max(cd, 1) / _SIGMAS),
        _check("A10-12", "存单贷笔数", "笔", plans.CD_LOANS * size, got.cd_loans, 0.5 / _root(cd)),
        _check("A10-13", "存单贷金额", "分", plans.CD_AMOUNT * size, got.cd_amount, 0.9 / _root(cd)),
        _check("A10-13", "存单贷笔均", "分", plans.CD_AMOUNT / plans.CD_LOANS, _mean(got.cd_amount, got.cd_loans),
               0.9 / _root(cd)),
    ]  # fmt: skip
    ceiling = Check(row="A10-02", name="最高授信", unit="分", target=plans.LINE_CEILING, got=got.highest_line,
                    allowed=0.0, ok=got.highest_line <= plans.LINE_CEILING)  # fmt: skip
    most = max(got.officers.values(), default=0)
    officers = Check(row="A10-06", name="客户经理最多管户", unit="户", target=plans.MOST_PER_OFFICER, got=most,
                     allowed=0.0, ok=most <= plans.MOST_PER_OFFICER)  # fmt: skip
    return [*found, ceiling, officers]


def _root(count: float) -> float:
    return math.sqrt(max(count, 1.0))


def _mean(total: int, count: int) -> float:
    return total / count if count else 0.0


def _check(row: str, name: str, unit: str, target: float, got: float, error: float) -> Check:
    allowed = max(_LEAST_ALLOWED, _SIGMAS * error) if error else 0.0
    ok = abs(got - target) <= allowed * target + 1e-9
    return Check(row=row, name=name, unit=unit, target=target, got=got, allowed=allowed, ok=ok)
