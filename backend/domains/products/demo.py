"""The catalogue every county starts with (A8): two brands, eight series, their products and sub-products.

It lies in `catalogue.json` beside this file; running it again changes nothing.
"""

from datetime import date
from importlib import resources
from typing import Any

import msgspec

from backend.core import clock
from backend.db.database import Tx
from backend.domains.products import repository
from backend.domains.products.model import UNION, Overrides, Terms

MAKER, CHECKER = "SL0001", "SL0002"


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: str
    name: str
    series: str
    effective_from: date
    other_names: tuple[str, ...] = ()
    parent: str | None = None
    institutions: tuple[str, ...] = ()
    withdrawn_on: date | None = None
    terms: Terms | None = None
    overrides: Overrides | None = None


class _Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    brands: list[Any]
    series: list[Any]
    products: tuple[_Entry, ...]


def catalogue() -> tuple[_Entry, ...]:
    """Every product of the demo, for tests that hold it against the rules in force."""
    return _load().products


async def seed(tx: Tx, institution_id: str) -> None:
    """The union's products, this county's openings and its own sub-products."""
    found = _load()
    await repository.seed_tree(tx, found.brands, found.series)
    for entry in found.products:
        owner = UNION if entry.parent is None else institution_id
        if entry.parent is not None and institution_id not in entry.institutions:
            continue
        added = await repository.add_product(
            tx, owner, entry.code, entry.series, entry.parent, entry.name, entry.other_names
        )
        if added:
            await _publish(tx, owner, entry)
        if entry.parent is None and institution_id in entry.institutions:
            await repository.open_product(tx, institution_id, entry.code, entry.effective_from)


async def _publish(tx: Tx, owner: str, entry: _Entry) -> None:
    """Past publications are written as they happened, with the days they took effect."""
    content = entry.terms or entry.overrides
    assert content is not None
    version = await repository.add_version(tx, owner, entry.code, content, MAKER, clock.now())
    await repository.publish(
        tx, owner, entry.code, entry.effective_from, version, MAKER, CHECKER, "演示产品", tx.now
    )
    if entry.withdrawn_on:
        await repository.publish(
            tx, owner, entry.code, entry.withdrawn_on, None, None, CHECKER, "由新产品接替", tx.now
        )


def _load() -> _Catalogue:
    text = resources.files(__package__).joinpath("catalogue.json").read_bytes()
    return msgspec.json.decode(text, type=_Catalogue)
