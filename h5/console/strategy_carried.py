"""What somebody typed on a draft that a colleague went on with meanwhile, brought onto the newest: nobody types it
again (A3-33).

Field by field: what was typed stands where it is another than what stood there when the page was opened; all else is as
the newest has it. Where the colleague changed the same field, that is told. Nothing is stored until the person saves.
"""

from collections.abc import Mapping

import msgspec

Fields = Mapping[str, str]


class Carried(msgspec.Struct, frozen=True):
    """`number` of the version it was typed on; `both` what the colleague changed too, in words."""

    number: int
    both: tuple[str, ...]


def together(opened: Fields, typed: Fields, newest: Fields) -> tuple[dict[str, str], tuple[str, ...]]:
    """(the fields for the newest, those both changed each in its own way)."""
    made, both = dict[str, str](), list[str]()
    for field, now in newest.items():
        was, mine = opened.get(field, now), typed.get(field, opened.get(field, now))
        made[field] = now if mine == was else mine
        if mine not in (was, now) and now != was:
            both.append(field)
    return made, tuple(both)
