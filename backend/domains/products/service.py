"""What other code may ask about products, and the two steps by which one is published."""

from datetime import date, timedelta
from typing import Any

from backend.core import clock
from backend.db import reference
from backend.db.database import Tx
from backend.domains.products import repository, rules
from backend.domains.products.model import (
    UNION,
    Brand,
    Breach,
    NoSuchVersion,
    Overrides,
    Product,
    ProductNotLive,
    PublishedBackwards,
    SelfApproval,
    Terms,
    TermsRefused,
)
from backend.domains.regulation import service as regulation


async def get_live(tx: Tx, institution_id: str, code: str, on: date) -> Product:
    """The product as an institution offers it on a day. Raises `ProductNotLive`."""

    async def ask() -> Product:
        found = [_product(row) for row in await repository.live(tx, institution_id, code, on)]
        if not found or found[0] is None:
            raise ProductNotLive(code=code)
        return found[0]

    return await reference.kept(tx, "products", "live", institution_id, code, on, ask=ask)


async def name_of(tx: Tx, institution_id: str, code: str) -> str:
    """What people call it, on offer or not; the code itself when nobody knows it."""
    return await repository.name_of(tx, institution_id, code) or code


async def get_begun(tx: Tx, institution_id: str, code: str, on: date) -> Product:
    """As `get_live`, for something begun on that day: a product taken off the counter later the same day still
    answers for it. Raises `ProductNotLive`."""
    try:
        return await get_live(tx, institution_id, code, on)
    except ProductNotLive:
        return await get_live(tx, institution_id, code, on - timedelta(days=1))


async def list_live(tx: Tx, institution_id: str, on: date) -> list[Product]:
    """Everything an institution offers on a day, in the order of the series."""
    rows = await repository.live(tx, institution_id, None, on)
    return [p for p in map(_product, rows) if p is not None]


async def tree(tx: Tx) -> list[Brand]:
    """Brand → series → product → county sub-product (A8-01)."""
    return await repository.tree(tx)


async def create(
    tx: Tx,
    institution_id: str,
    code: str,
    name: str,
    *,
    series_code: str,
    parent_code: str | None = None,
    other_names: tuple[str, ...] = (),
) -> bool:
    """A node of the tree; `institution_id` '*' for the union's own. False when it exists already."""
    return await repository.add_product(tx, institution_id, code, series_code, parent_code, name, other_names)


async def draft(tx: Tx, institution_id: str, code: str, content: Terms | Overrides) -> int:
    """Write a new version, not yet on offer; returns its number."""
    return await repository.add_version(tx, institution_id, code, content, tx.actor.id, tx.now)


async def publish(
    tx: Tx,
    institution_id: str,
    code: str,
    version: int,
    *,
    effective_from: date,
    reason: str,
) -> None:
    """Put a version on offer from a day on, approved by a second person.

    Raises `SelfApproval`, `PublishedBackwards`, `NoSuchVersion`, or `TermsRefused` naming every rule that the
    terms break on that day.
    """
    row = await repository.version(tx, institution_id, code, version)
    if row is None:
        raise NoSuchVersion()
    if row["maker"] == tx.actor.id:
        raise SelfApproval()
    if effective_from < clock.today():
        raise PublishedBackwards()
    await _check(tx, row, effective_from)
    await repository.publish(
        tx, institution_id, code, effective_from, version, row["maker"], tx.actor.id, reason, tx.now
    )


async def withdraw(tx: Tx, institution_id: str, code: str, *, on: date, reason: str) -> None:
    """Nothing of this product is on offer from a day on; its sub-products go with it."""
    await repository.publish(tx, institution_id, code, on, None, None, tx.actor.id, reason, tx.now)


async def breaches_on(tx: Tx, institution_id: str, on: date) -> list[tuple[str, Breach]]:
    """What an institution offers on a day against the rules of that day (N7): (version label, breach).

    Empty unless a rule changed after a version was published.
    """
    in_force = await regulation.in_force(tx, on)
    offered = await list_live(tx, institution_id, on)
    return [(p.version_label, breach) for p in offered for breach in rules.breaches(p.terms, in_force)]


async def _check(tx: Tx, row: Any, on: date) -> None:
    in_force = await regulation.in_force(tx, on)
    if row["institution_id"] == UNION:
        found = rules.breaches(repository.terms(row["content"]), in_force)
    else:
        parent = await repository.live_terms(tx, UNION, row["parent_code"], on)
        if parent is None:
            raise ProductNotLive(code=row["parent_code"])
        overrides = repository.overrides(row["content"])
        found = rules.looser(parent, overrides)
        joined = rules.meet(parent, overrides)
        found += rules.breaches(joined, in_force) if joined else []
    if found:
        raise TermsRefused(found)


def _product(row: Any) -> Product | None:
    """None when a parent tightened since leaves nothing of the sub-product."""
    label = f"{row['code']}@{row['version']}"
    lineage: tuple[str, ...] = (row["brand_name"], row["series_name"])
    if row["parent_code"] is None:
        terms: Terms | None = repository.terms(row["content"])
    else:
        label = f"{row['parent_code']}@{row['parent_version']}/{label}"
        lineage = (*lineage, row["parent_name"])
        terms = rules.meet(repository.terms(row["parent_content"]), repository.overrides(row["content"]))
    if terms is None:
        return None
    return Product(
        institution_id=row["institution_id"],
        code=row["code"],
        version=row["version"],
        version_label=label,
        name=row["name"],
        series_code=row["series_code"],
        series_name=row["series_name"],
        brand_name=row["brand_name"],
        lineage=(*lineage, row["name"]),
        terms=terms,
        effective_from=row["effective_from"],
    )
