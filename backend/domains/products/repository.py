"""One function per query; content is turned into structs here."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import msgspec

from backend.db import queries
from backend.db.database import Tx
from backend.domains.products.model import Brand, Leaf, Overrides, Series, Terms

Q = queries.load(__package__)


async def name_of(tx: Tx, institution_id: str, code: str) -> str | None:
    name: str | None = await Q.name_of(tx, institution_id=institution_id, code=code)
    return name


async def tree(tx: Tx) -> list[Brand]:
    brands: dict[str, tuple[Any, dict[str, tuple[Any, list[Leaf]]]]] = {}
    for row in await Q.tree(tx):
        _, series = brands.setdefault(row["brand_code"], (row, {}))
        _, leaves = series.setdefault(row["series_code"], (row, []))
        if row["code"]:
            leaves.append(
                Leaf(
                    institution_id=row["institution_id"],
                    code=row["code"],
                    name=row["name"],
                    other_names=tuple(row["other_names"]),
                    parent_code=row["parent_code"],
                )
            )
    return [
        Brand(
            code=code,
            name=row["brand_name"],
            audience=row["audience"],
            series=tuple(_series(s, leaves) for s, leaves in series.values()),
        )
        for code, (row, series) in brands.items()
    ]


async def seed_tree(tx: Tx, brands: list[dict[str, Any]], series: list[dict[str, Any]]) -> None:
    """Brands and series as written in the catalogue."""
    for position, brand in enumerate(brands):
        await Q.add_brand(tx, position=position, **brand)
    for position, one in enumerate(series):
        await Q.add_series(tx, position=position, **one)


async def live(tx: Tx, institution_id: str, code: str | None, on: date) -> list[Any]:
    found: list[Any] = await Q.live(tx, institution_id=institution_id, code=code, on_day=on)
    return found


async def version(tx: Tx, institution_id: str, code: str, version: int) -> Any:
    return await Q.version(tx, institution_id=institution_id, code=code, version=version)


async def live_terms(tx: Tx, institution_id: str, code: str, on: date) -> Terms | None:
    row = await Q.live_content(tx, institution_id=institution_id, code=code, on_day=on)
    return terms(row["content"]) if row else None


async def add_product(
    tx: Tx,
    institution_id: str,
    code: str,
    series_code: str,
    parent_code: str | None,
    name: str,
    other_names: tuple[str, ...],
) -> bool:
    added = await Q.add_product(
        tx,
        institution_id=institution_id,
        code=code,
        series_code=series_code,
        parent_code=parent_code,
        name=name,
        other_names=list(other_names),
        created_at=tx.now,
    )
    return bool(added)


async def add_version(
    tx: Tx, institution_id: str, code: str, content: Terms | Overrides, maker: str, made_at: datetime
) -> int:
    number: int = await Q.add_version(
        tx,
        institution_id=institution_id,
        code=code,
        content=msgspec.to_builtins(content),
        maker=maker,
        made_at=made_at,
    )
    return number


async def publish(
    tx: Tx,
    institution_id: str,
    code: str,
    effective_from: date,
    version: int | None,
    maker: str | None,
    checker: str,
    reason: str,
    published_at: datetime,
) -> None:
    await Q.publish(
        tx,
        institution_id=institution_id,
        code=code,
        effective_from=effective_from,
        version=version,
        maker=maker,
        checker=checker,
        reason=reason,
        published_at=published_at,
    )


async def open_product(tx: Tx, institution_id: str, product_code: str, opened_on: date) -> None:
    await Q.open_product(tx, institution_id=institution_id, product_code=product_code, opened_on=opened_on)


@lru_cache(maxsize=512)
def terms(content: str) -> Terms:
    """Versions never change, so each text is read once per process."""
    return msgspec.json.decode(content, type=Terms)


@lru_cache(maxsize=512)
def overrides(content: str) -> Overrides:
    return msgspec.json.decode(content, type=Overrides)


def _series(row: Any, leaves: list[Leaf]) -> Series:
    return Series(
        code=row["series_code"],
        name=row["series_name"],
        other_names=tuple(row["series_other_names"]),
        target_customers=row["target_customers"],
        data_source=row["data_source"],
        risk_mitigation=row["risk_mitigation"],
        products=tuple(leaves),
    )
