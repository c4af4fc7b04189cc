"""结束时间: when the time of a version is over, and what decides from then on (A3-33)."""

from datetime import datetime

from backend.db.database import Tx
from backend.domains.strategies import repository
from backend.domains.strategies.model import ALL_PRODUCTS, UNION, EndsTooSoon, MustNotEnd, Version


def must_decide(version: Version) -> bool:
    """The union's document of all products: every decision needs it, so it has no end."""
    return version.institution_id == UNION and version.product_code == ALL_PRODUCTS


def require(version: Version, start: datetime, end: datetime | None, now: datetime) -> None:
    """Raises `MustNotEnd`, and `EndsTooSoon` for an end that is over or not after the start."""
    if end is None:
        return
    if must_decide(version):
        raise MustNotEnd()
    if end <= now:
        raise EndsTooSoon(fields={"effective_until": "结束时间要在现在以后"})
    if end <= start:
        raise EndsTooSoon(fields={"effective_until": EndsTooSoon.message})


def over(version: Version, now: datetime) -> bool:
    return version.effective_until is not None and version.effective_until <= now


async def afterwards(tx: Tx, version: Version, before: Version | None) -> str:
    """What decides once this version does not any more, to be read after 到期以后: the same strategy of all products,
    else head office's floor alone. `before` (`course.compared_with`) does not come back by itself, and that is said."""
    then = await _then(tx, version)
    if before is None or before.product_code != version.product_code:
        return then
    named = "它接替的" if version.status in ("live", "retired") else "现在在用的"
    return f"{then}；{named}第 {before.number} 版不会自动回来"


async def _then(tx: Tx, version: Version) -> str:
    general = None
    if version.product_code != ALL_PRODUCTS:
        general = await repository.live(tx, version.institution_id, ALL_PRODUCTS, version.stage)
    if version.institution_id == UNION:
        return f"改用所有产品的{f'第 {general.number} 版' if general else '原版，随系统的那一份'}"
    if general is not None:
        return f"改用本行所有产品的加严层（第 {general.number} 版）"
    return "本行在这一环节不再加严，只按省联社的规则办"
