"""What somebody typed on a draft that a colleague went on with meanwhile, brought onto the newest: nobody types it
again (A3-33).

Field by field: what was typed stands where it is another than what stood there when the page was opened; all else is as
the newest has it. Where the colleague changed the same field, that is told. Nothing is stored until the person saves.
"""

from collections.abc import Mapping, Sequence

import msgspec

Fields = Mapping[str, str]


class Carried(msgspec.Struct, frozen=True):
    """`number` of the version it was typed on; in words `both`, what the colleague changed too, and `lost`, what has no
    place any more."""

    number: int
    both: tuple[str, ...]
    lost: tuple[str, ...] = ()


class Brought(msgspec.Struct, frozen=True):
    """A form for the newest draft, and what is to be told of it as in `Carried`."""

    form: dict[str, str]
    both: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def together(opened: Fields, typed: Fields, newest: Fields) -> tuple[dict[str, str], tuple[str, ...]]:
    """(the fields for the newest, those both changed each in its own way)."""
    made, both = dict[str, str](), list[str]()
    for field, now in newest.items():
        was, mine = opened.get(field, now), typed.get(field, opened.get(field, now))
        made[field] = now if mine == was else mine
        if mine not in (was, now) and now != was:
            both.append(field)
    return made, tuple(both)


def order(opened: Sequence[str], typed: Sequence[str], newest: Sequence[str]) -> tuple[list[str], bool]:
    """(the order for the newest, whether both changed it): what was taken away is away, what was added stands behind
    what it was added to, what was moved stands as it was moved; all else is as the newest has it."""
    made = [each for each in newest if each in typed or each not in opened]
    shared = [each for each in typed if each in made and each in opened]
    moved = shared != [each for each in opened if each in shared]
    theirs = [each for each in newest if each in shared] != [each for each in opened if each in shared]
    if moved:
        places = iter(shared)
        made = [next(places) if each in shared else each for each in made]
    for at, each in enumerate(typed):
        if each not in opened and each not in made:
            before = next((one for one in reversed(typed[:at]) if one in made), None)
            made.insert(made.index(before) + 1 if before else 0, each)
    return made, moved and theirs and [each for each in newest if each in shared] != shared
