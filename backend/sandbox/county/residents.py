"""The people of households: relations, ages, names, ID numbers that no real person can have.

An ID number says where its holder is: region digits are prefix and block, the order digits the place in the
block, and the birth day's number modulo 8 the slot in the household. `locate` reads it back.
"""

from datetime import date
from functools import cache

import msgspec
import numpy as np
import polars as pl

from backend.core import check_digits
from backend.sandbox.county import homes as living
from backend.sandbox.county import plan as plans
from backend.sandbox.county.draws import Array, between
from backend.sandbox.county.homes import Home
from backend.sandbox.county.plan import AS_OF, BLOCK, SLOTS, Plan
from backend.sandbox.specimens import names

HEAD, SPOUSE, CHILD, PARENT = range(4)
RELATIONS = ("head", "spouse", "child", "parent")
_RELATION_OF_SLOT = np.array([HEAD, SPOUSE, CHILD, CHILD, PARENT, PARENT, CHILD, CHILD])
_DAY0 = date(1970, 1, 1).toordinal()
_UNIX_ORDINAL = _DAY0 % SLOTS
PHONE_MARK = "100"
"""No mobile number begins so."""


class Residents(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays with one entry per person; `at` is the place of the household in its `Home`. `key` is the number
    draws are keyed by. `born` counts days from 1970."""

    at: Array
    household: Array
    slot: Array
    key: Array
    relation: Array
    male: Array
    age: Array
    born: Array
    occupation: Array
    month: Array  # yuan a month, 0 for who earns nothing


def residents(plan: Plan, home: Home) -> Residents:
    d = plan.draws
    at = np.repeat(np.arange(len(home.household)), home.members)
    first = np.concatenate([[0], np.cumsum(home.members)[:-1]])
    slot = np.arange(len(at)) - first[at]
    h = home.household[at]
    key = h * SLOTS + slot
    relation = _RELATION_OF_SLOT[slot]
    head_age, head_male = home.head_age[at], home.head_male[at]
    drift = d.normal("age drift", key, 0.0, 2.5)
    age = np.select(
        [relation == HEAD, relation == SPOUSE, relation == CHILD],
        [head_age, between(head_age + drift, 22, 68), between(head_age - 24 + drift - 2 * (slot - 2), 0, 44)],
        between(head_age + 25 + drift, 50, 96),
    )
    male = np.select(
        [relation == HEAD, relation == SPOUSE, relation == PARENT],
        [head_male, ~head_male, slot == 4],
        d.chance("male", key, 0.52),
    )
    earns = (slot >= 1) & (slot <= home.earners[at]) & (age >= 18) & (age <= 70)
    occupation = np.where(
        slot == 0,
        home.occupation[at],
        np.select(
            [earns & (relation == PARENT), earns, age >= 60, (age >= 6) & (age < 22)],
            [living.FARMER, living.WORKER, living.RETIRED, living.STUDENT],
            living.OTHER,
        ),
    )
    share = home.others_income[at] / np.maximum(home.earners[at], 1) / 12
    month = np.where(slot == 0, home.head_month[at], np.where(earns, share, 0.0))
    return Residents(
        at=at, household=h, slot=slot, key=key, relation=relation, male=male, age=age,
        born=_born(plan, key, slot, age), occupation=occupation, month=month,
    )  # fmt: skip


def _born(plan: Plan, key: Array, slot: Array, age: Array) -> Array:
    """A day that makes the age on `AS_OF` and whose number modulo 8 is the slot."""
    latest = AS_OF.toordinal() - _DAY0 - np.ceil(age * 365.2425).astype(np.int64) - 9
    day = latest - plan.draws.whole("birth day", key, 0, 340)
    held: Array = day + (slot - (day + _UNIX_ORDINAL)) % SLOTS
    return held


def head_born(plan: Plan, home: Home) -> Array:
    """Birth days of the heads, in days from 1970."""
    slot = np.zeros(len(home.household), dtype=np.int64)
    return _born(plan, home.household * SLOTS, slot, home.head_age)


def first_seventeen(plan: Plan, people: Residents) -> Array:
    """The first 17 digits of ID numbers as whole numbers."""
    days = people.born.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days - months).astype(np.int64) + 1
    region = int(plan.prefix) * 10_000 + plans.block_of(people.household)
    order = people.household % BLOCK * 2 + people.male
    number: Array = ((region * 10_000 + year) * 10_000 + month * 100 + day) * 1_000 + order
    return number


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = tuple("10X98765432")


def id_numbers(plan: Plan, people: Residents) -> pl.Series:
    number = first_seventeen(plan, people)
    left, total = number.copy(), np.zeros(len(number), dtype=np.int64)
    for weight in reversed(_WEIGHTS):
        total += left % 10 * weight
        left //= 10
    checks = pl.Series(_CHECKS).gather(total % 11)
    return (pl.Series(number).cast(pl.String) + checks).alias("id_number")


def locate(plan: Plan, id_number: str) -> tuple[int, int] | None:
    """(household, slot) an ID number of this county would have; None when it is none of this county's."""
    if not id_number.startswith(plan.prefix) or not check_digits.is_id_number(id_number):
        return None
    born = check_digits.id_number_born_on(id_number)
    household = int(id_number[2:6]) * BLOCK + int(id_number[14:17]) // 2
    if born is None or int(id_number[14:17]) // 2 >= BLOCK or household >= plan.households:
        return None
    return household, born.toordinal() % SLOTS


def phones(people: Residents) -> pl.Series:
    """One number per person, mixed so that neighbours are not neighbours in it."""
    number = people.key * 67_867_967 % 10**8
    return (PHONE_MARK + pl.Series(number).cast(pl.String).str.zfill(8)).alias("phone")


def names_of(plan: Plan, people: Residents) -> pl.Series:
    """A family has the head's name if he is a man, else the husband's; who married in has another."""
    d, key = plan.draws, people.key
    family = d.bits("surname", people.household) % np.uint64(len(names.SURNAMES) ** 2)
    own = d.bits("own surname", key) % np.uint64(len(names.SURNAMES) ** 2)
    married_in = (people.relation <= SPOUSE) & ~people.male | ((people.relation == PARENT) & ~people.male)
    surname = _surnames().gather(np.where(married_in, own, family))
    first = _given(plan, people, "first")
    second = _given(plan, people, "second")
    single = pl.Series(d.chance("single name", key, 0.2))
    frame = pl.DataFrame({"s": surname, "a": first, "b": second, "one": single})
    given = pl.when(pl.col("one")).then(pl.col("a")).otherwise(pl.col("a") + pl.col("b"))
    return frame.select((pl.col("s") + given).alias("name")).to_series()


@cache
def _surnames() -> pl.Series:
    """Common surnames far more often: the smaller of two draws."""
    size = len(names.SURNAMES)
    return pl.Series([names.SURNAMES[min(n // size, n % size)] for n in range(size * size)])


def _given(plan: Plan, people: Residents, field: str) -> pl.Series:
    bits = plan.draws.bits(f"given {field}", people.key)
    men = pl.Series(list(names.MALE_GIVEN)).gather(bits % np.uint64(len(names.MALE_GIVEN)))
    women = pl.Series(list(names.FEMALE_GIVEN)).gather(bits % np.uint64(len(names.FEMALE_GIVEN)))
    return men.zip_with(pl.Series(people.male), women)


def village_name(number: int) -> str:
    heads, bodies = names.VILLAGE_HEADS, names.VILLAGE_BODIES
    turn = number // (len(heads) * len(bodies))
    head, body = heads[number % len(heads)], bodies[number // len(heads) % len(bodies)]
    return f"{head}{body}村" if not turn else f"{head}{body}{_COUNT[turn % 10]}村"


def town_name(number: int) -> str:
    bodies = names.VILLAGE_BODIES
    turn = number // len(bodies)
    return f"{bodies[number % len(bodies)]}{'' if not turn else _COUNT[turn % 10]}镇"


_COUNT = "〇一二三四五六七八九"
