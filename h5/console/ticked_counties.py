"""勾选的县: which counties a form of head office is about, by their ids; none ticked is all (A6-06).

A box carries its county as its value, not as its place in the list: a county that joins between the page and its
sending shifts no tick.
"""

from collections.abc import Mapping, Sequence

import msgspec

from backend.core.errors import Invalid
from backend.domains.institutions.model import Institution
from backend.web import staff
from backend.web.staff import Here

LISTED = 200
FIELDS = tuple(f"in_{n}" for n in range(LISTED))


class CountyGone(Invalid):
    code = "county_gone"
    message = "勾选的县里有一个现在选不了，请重新勾选"


class Box(msgspec.Struct, frozen=True):
    id: str
    name: str
    ticked: bool


async def offered(here: Here) -> tuple[Institution, ...]:
    return (await staff.counties(here))[:LISTED]


def boxes(counties: Sequence[Institution], form: Mapping[str, str]) -> tuple[Box, ...]:
    wanted = _wanted(form)
    return tuple(Box(each.id, each.short_name, each.id in wanted) for each in counties)


def ticked(counties: Sequence[Institution], form: Mapping[str, str]) -> list[Institution]:
    """Raises `CountyGone` for one that is not on offer: left out silently, it could leave none, which is all."""
    wanted = _wanted(form)
    if wanted - {each.id for each in counties}:
        raise CountyGone()
    return [each for each in counties if each.id in wanted]


def _wanted(form: Mapping[str, str]) -> set[str]:
    return {form[name] for name in FIELDS if form.get(name)}
