"""The applicant's neighbourhood as a drawing: the same graph is always the same picture (N9, A7-05).

Three columns: the applicant, what they use, and the households on it. Units are those of the SVG's viewBox, which is
360 wide so that its letters stay readable on a phone; wide screens only enlarge it.
"""

from typing import Literal

import msgspec

from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import service as customers
from backend.domains.identity import service as identity
from backend.domains.relations import rules
from backend.domains.relations import service as relations
from backend.domains.relations.model import Hit, Link, Neighbourhood, Other

WIDTH, ROW, TOP = 360, 46, 8
MOST_HOMES = 12
"""Households drawn; the words below the picture tell how many more there are."""

_THING_X, _HOME_X, _BOX = 118, 250, 34

State = Literal["plain", "warn", "quiet"]


class Box(msgspec.Struct, frozen=True):
    """A rounded box with two lines of words; `state` is also told by words, never by colour alone."""

    x: int
    y: int
    width: int
    title: str
    note: str
    state: State


class Line(msgspec.Struct, frozen=True):
    """From the right edge of a box to the left edge of another; `bold` where the other owns the thing."""

    x1: int
    y1: int
    x2: int
    y2: int
    bold: bool
    state: State


class Told(msgspec.Struct, frozen=True):
    """A hit with the numbers of the cases it rests on, masked to their end."""

    hit: Hit
    cases: list[str]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """`words` say in order everything the drawing shows; `elsewhere` are figures of other institutions."""

    width: int
    height: int
    boxes: list[Box]
    lines: list[Line]
    words: list[str]
    hits: list[Told]
    elsewhere: list[str]
    ring: str


async def of(tx: Tx, application: Application) -> Picture | None:
    """None for a case with whose person nothing was ever seen."""
    if application.customer_id is None:
        return None
    around = await relations.neighbourhood(tx, application.customer_id)
    if not around.links:
        return None
    found = [*await _listed(tx, application.customer_id, application.id), *await relations.hits(tx, around)]
    names = await customers.names(tx, [o.customer_id for link in around.links for o in link.others])
    numbers = await applications.numbers(tx, (each for hit in found for each in hit.applications))
    return draw(
        around,
        {str(one): name for one, name in names.items()},
        [Told(hit, [f"尾号 {numbers[each][-4:]}" for each in hit.applications]) for hit in found],
        await relations.elsewhere(tx, around),
    )


async def _listed(tx: Tx, customer_id: str, application_id: str) -> list[Hit]:
    person = await customers.get(tx, customer_id)
    numbers = (("id_number", person.id_number), ("phone", person.phone or ""))
    theirs = {member.phone for member in await identity.all_staff(tx)} - {""}
    return await relations.list_hits(
        tx, customer_id, application_id, numbers, staff_number=person.phone in theirs
    )


def draw(
    around: Neighbourhood, names: dict[str, str], hits: list[Told], elsewhere: dict[bytes, tuple[int, int]]
) -> Picture:
    """Pure. `names` are masked already; somebody without a name is drawn as 一位客户."""
    homes = _homes(around)
    shown = list(homes)[:MOST_HOMES]
    height = TOP * 2 + ROW * max(len(around.links), len(shown), 1)
    me = Box(4, (height - _BOX) // 2, 84, "本人", f"{len(around.links)} 样东西", "plain")
    things = [_thing(link, n, height, around) for n, link in enumerate(around.links)]
    places = {home: _place(n, len(shown), height) for n, home in enumerate(shown)}
    numbers = {home: n + 1 for n, home in enumerate(h for h in shown if h != around.household)}
    boxes = [_home(homes[home], places[home], numbers.get(home), names) for home in shown]
    return Picture(
        width=WIDTH,
        height=height,
        boxes=[me, *things, *boxes],
        lines=_lines(around, me, things, dict(zip(shown, boxes, strict=True))),
        words=_words(around, numbers, names, len(homes) - len(shown)),
        hits=hits,
        elsewhere=_elsewhere(around, elsewhere),
        ring=_ring(around),
    )


def _homes(around: Neighbourhood) -> dict[str, list[Other]]:
    """People by household: the own one first, then by how many things they share, then by name of the home."""
    found: dict[str, dict[str, Other]] = {}
    weight: dict[str, int] = {}
    for link in around.links:
        if link.hub:
            continue
        for other in link.others:
            found.setdefault(other.household, {}).setdefault(other.customer_id, other)
        for home in {other.household for other in link.others}:
            weight[home] = weight.get(home, 0) + 1
    order = sorted(found, key=lambda home: (home != around.household, -weight[home], home))
    return {home: [found[home][one] for one in sorted(found[home])] for home in order}


def _place(number: int, count: int, height: int) -> int:
    """Evenly down the column."""
    return TOP + (height - 2 * TOP) * (2 * number + 1) // (2 * max(count, 1)) - _BOX // 2


def _thing(link: Link, number: int, height: int, around: Neighbourhood) -> Box:
    away = len({o.household for o in rules.strangers(around, link)})
    note = "只有本人"
    state: State = "quiet"
    if link.allowed:
        note = "放行名单"
    elif link.hub:
        note = f"{link.customers} 人，只计数"
    elif away:
        note, state = f"另 {link.customers - 1} 人 {away} 户", "warn"
    elif link.others:
        note, state = "和家里人", "plain"
    return Box(_THING_X, _place(number, len(around.links), height), 98, link.label, note, state)


def _home(people: list[Other], y: int, number: int | None, names: dict[str, str]) -> Box:
    first = names.get(people[0].customer_id, "一位客户")[:6]
    title = first if len(people) == 1 else f"{first}等 {len(people)} 人"
    note, state = (f"第 {number} 户", "warn") if number else ("同一户", "plain")
    return Box(_HOME_X, y, 106, title, note, state)  # type: ignore[arg-type]


def _lines(around: Neighbourhood, me: Box, things: list[Box], homes: dict[str, Box]) -> list[Line]:
    lines = []
    for thing, link in zip(things, around.links, strict=True):
        lines.append(_line(me, thing, link.role == "own", thing.state))
        owners = {other.household for other in link.others if other.role == "own"}
        reached = {other.household for other in link.others}
        lines += [
            _line(thing, box, home in owners, thing.state) for home, box in homes.items() if home in reached
        ]
    return lines


def _line(left: Box, right: Box, bold: bool, state: State) -> Line:
    return Line(left.x + left.width, left.y + _BOX // 2, right.x, right.y + _BOX // 2, bold, state)


def _words(around: Neighbourhood, numbers: dict[str, int], names: dict[str, str], more: int) -> list[str]:
    told = []
    for link in around.links:
        line = rules.describe(around, link)
        people = [_who(around, other, numbers, names) for other in link.others[:8]]
        told.append(f"{line}：{'、'.join(people)}" if people and not link.hub else line)
    if more > 0:
        told.append(f"图上画了 {MOST_HOMES} 户，还有 {more} 户没有画")
    return told


def _who(around: Neighbourhood, other: Other, numbers: dict[str, int], names: dict[str, str]) -> str:
    if other.household == around.household:
        home = "同一户"
    else:
        home = f"第 {numbers[other.household]} 户" if other.household in numbers else "没有画"
    name = names.get(other.customer_id, "一位客户")
    return f"{name}（{home}{'，在其名下' if other.role == 'own' else ''}）"


def _elsewhere(around: Neighbourhood, found: dict[bytes, tuple[int, int]]) -> list[str]:
    return [
        f"{link.label}：其他 {found[link.key][0]} 家机构，{found[link.key][1]} 人"
        for link in around.links
        if link.key in found
    ]


def _ring(around: Neighbourhood) -> str:
    if around.ring_customers == 1:
        return "没有和别人连在一起"
    more = " 以上" if around.ring_customers >= 1000 else ""
    return f"直接和间接连在一起的有 {around.ring_customers}{more} 人、{around.ring_households} 户"
