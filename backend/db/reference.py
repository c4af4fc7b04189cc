"""Reference data that everybody asks for and hardly anybody changes, kept by a process as long as it stands.

Products on offer, rules in force, what is live: asked for several times by every case. The database gives each family
of such tables a stamp, and another with every change (migration 0198). A transaction reads the stamps once and uses
what was kept under them; what was changed in between is read anew, from the commit of the change on, as ever.

A stamp is random, so that one of a change that was rolled back, or of another database, is never met again.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from backend.db import queries
from backend.db.database import Tx

T = TypeVar("T")

Q = queries.load(__package__)

MOST = 4096
_kept: dict[tuple[Hashable, ...], tuple[str, Any]] = {}


async def kept(tx: Tx, family: str, *key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` says of `key` (which names the question and all it depends on beside the family's tables).

    It must not be changed by whoever gets it. Nothing is kept of an asking that raised.
    """
    if tx.stamps is None:
        tx.stamps = {row["family"]: row["stamp"] for row in await Q.stamps(tx)}
    stamp, place = tx.stamps[family], (family, tx.institution_id, *key)
    found = _kept.get(place)
    if found is not None and found[0] == stamp:
        answer: T = found[1]
        return answer
    answer = await ask()
    if len(_kept) >= MOST:
        _kept.clear()
    _kept[place] = stamp, answer
    return answer
