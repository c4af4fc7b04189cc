"""One function per question about the graph that needs more than a row."""

from typing import Any

from backend.db import queries
from backend.db.database import Tx
from backend.domains.relations.model import WINDOWS, Count, Link, Neighbourhood, Other, Velocity

Q = queries.load(__package__)

MOST_OTHERS = 60
"""Others read per key: more are a crowd, whose number the node itself knows."""


LONG = 600.0
"""Seconds a step of the night may take; a page's question has the pool's fifteen."""


async def patiently(tx: Tx, query: queries.Query, **given: object) -> list[Any]:
    """The rows of a step of the night over a whole institution."""
    values = [given[name] for name in query.parameters]
    return list(await tx.connection.fetch(query.sql, *values, timeout=LONG))


async def velocity(tx: Tx, application_id: str) -> Velocity:
    """The largest count where a case has several keys of one kind."""
    counts: dict[str, dict[str, Count]] = {}
    for row in await Q.velocity(tx, institution_id=tx.institution_id, application_id=application_id):
        of_kind = counts.setdefault(row["kind"], {})
        for window in WINDOWS[:1] if row["kind"] == "network" else WINDOWS:
            known = of_kind.get(window, Count())
            of_kind[window] = Count(
                max(known.customers, row[f"customers_{window}"]),
                max(known.applications, row[f"applications_{window}"]),
            )
    return Velocity(counts)


async def neighbourhood(tx: Tx, customer_id: str) -> Neighbourhood:
    """Somebody who never shared anything has no links and a ring of one."""
    given = {"institution_id": tx.institution_id, "customer_id": customer_id}
    rows = await Q.neighbours(tx, **given, most=MOST_OTHERS)
    if not rows:
        return Neighbourhood(customer_id=customer_id, household=customer_id)
    member, links = rows[0], _links([row for row in rows if row["kind"] is not None])
    # Who has asked nobody to answer for them stands in no circle of those who do.
    guaranteed = any(link.kind == "guarantor" and link.role == "used" for link in links)
    back = await Q.guaranteed_back(tx, **given) if guaranteed else None
    return Neighbourhood(
        customer_id=customer_id,
        household=_home(member["household"], customer_id),
        links=links,
        ring_customers=member["ring_customers"],
        ring_households=member["ring_households"],
        guaranteed_back=tuple(back or ()),
    )


def _links(rows: list[Any]) -> tuple[Link, ...]:
    """Rows come ordered by link; each carries one other, or none."""
    grouped: dict[tuple[str, bytes], list[Any]] = {}
    for row in rows:
        grouped.setdefault((row["kind"], row["key"]), []).append(row)
    return tuple(_link(each) for each in grouped.values())


def _link(rows: list[Any]) -> Link:
    first = rows[0]
    names = ("kind", "label", "key", "role", "first_at", "last_at", "customers", "hub", "allowed")
    return Link(
        **{name: first[name] for name in names},
        others=tuple(_other(row) for row in rows if row["other_id"] is not None),
    )


def _other(row: Any) -> Other:
    return Other(
        customer_id=row["other_id"],
        role=row["other_role"],
        household=_home(row["other_household"], row["other_id"]),
        first_at=row["other_first_at"],
        application_id=row["other_application_id"],
    )


def _home(household: bytes | None, customer_id: str) -> str:
    return household.hex() if household else customer_id
