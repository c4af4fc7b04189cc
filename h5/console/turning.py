"""A long list on a page of the console, turned by addresses: the same for every list that is counted."""

import msgspec

from backend.web.staff import Here


class Turn(msgspec.Struct, frozen=True):
    """Where in a list the address asks to be. `here` is this place, for the forms in it; `before` and `after` are ''
    when there is no such page."""

    total: int
    skipped: int
    here: str
    before: str
    after: str


def turn(here: Here, path: str, institution_id: str, name: str, total: int, page_size: int) -> Turn:
    """`name` is the list's in the address and on the page. One behind the last is the last."""
    asked = here.request.query_params.get(name, "")[:4]
    last = max(1, -(-total // page_size))
    page = min(max(int(asked) if asked.isascii() and asked.isdigit() else 1, 1), last)
    at, before, after = (f"?in={institution_id}&{name}={number}" for number in (page, page - 1, page + 1))
    return Turn(
        total,
        (page - 1) * page_size,
        at,
        f"{path}{before}#{name}" if page > 1 else "",
        f"{path}{after}#{name}" if page < last else "",
    )
