"""One person of a practice county computed from the plan; the heavy part of `answers`, imported when needed."""

from typing import Any

import msgspec
import numpy as np

from backend.sandbox.county import homes as living
from backend.sandbox.county import lending, records, residents, tables
from backend.sandbox.county import rings as fraud
from backend.sandbox.county.answers import Neighbour
from backend.sandbox.county.plan import SLOTS, Plan
from backend.sandbox.county.records import Adult


def read(text: bytes) -> Plan:
    return msgspec.json.decode(text, type=Plan)


def neighbour(plan: Plan, number: str) -> Neighbour | None:
    """None when nobody of the county has this ID number."""
    place = residents.locate(plan, number)
    if place is None:
        return None
    household, slot = place
    home = living.homes(plan, np.array([household]))
    people = residents.residents(plan, home)
    if slot >= len(people.slot) or residents.id_numbers(plan, people)[slot] != number:
        return None
    found = fraud.rings(plan, home.household)
    who = _adult(lending.heads(plan, home, found), people, slot)
    return Neighbour(
        county=plan.name,
        name=residents.names_of(plan, people)[slot],
        phone=residents.phones(people)[slot],
        facts={name: _plain(name, value[0]) for name, value in records.facts(plan.draws, who).items()},
    )


def _adult(head: Adult, people: residents.Residents, slot: int) -> Adult:
    """The head as he is; others of the house with their own key, age and earnings, and the house's name."""
    if slot == 0:
        return head
    one = slice(slot, slot + 1)
    occupation = people.occupation[one]
    return msgspec.structs.replace(
        head,
        key=people.household[one] * SLOTS + slot,
        age=people.age[one],
        month=np.maximum(people.month[one], 300.0),
        employed=(occupation == living.WORKER) | (occupation == living.PUBLIC),
        merchant=occupation == living.OWNER,
        certificate=np.zeros(1, dtype=bool),
        ring=np.zeros(1, dtype=bool),
    )


def _plain(name: str, value: Any) -> int | bool | str:
    if name in tables.CHOICES:
        return tables.CHOICES[name][int(value)]
    return bool(value) if name in records.FLAGS else int(value)
