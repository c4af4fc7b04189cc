"""The graph worked out by hand: every definition once more, as plainly as it can be written."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.core import ids
from backend.db.database import Tx
from backend.domains.relations import service as relations

HUBS = {
    "household": 12, "address": 12, "phone": 6, "openid": 10, "device": 10, "payee": 20, "guarantor": 12,
}  # fmt: skip


class Drawn(msgspec.Struct):
    """One edge as it was first drawn, and when it was last seen."""

    customer: str
    kind: str
    text: str
    first_at: datetime
    last_at: datetime


class ByHand:
    """Edges in a list; components by walking, homes by looking."""

    def __init__(self) -> None:
        self.edges: dict[tuple[str, str, str], Drawn] = {}
        self.allowed: set[tuple[str, str]] = set()

    def connect(self, customer: str, kind: str, text: str, at: datetime) -> None:
        known = self.edges.get((customer, kind, text))
        if known is None:
            self.edges[customer, kind, text] = Drawn(customer, kind, text, at, at)
        else:
            known.last_at = max(known.last_at, at)

    def age(self, before: datetime) -> None:
        self.edges = {k: e for k, e in self.edges.items() if e.last_at >= before}

    def on(self) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for edge in self.edges.values():
            found[edge.kind, edge.text].add(edge.customer)
        return found

    def components(self) -> dict[str, str]:
        """Customer → the smallest id of all who can be reached over nodes that join."""
        on = self.on()
        beside: dict[str, set[str]] = defaultdict(set)
        for node, people in on.items():
            if node not in self.allowed and 2 <= len(people) <= HUBS[node[0]]:
                for one in people:
                    beside[one] |= people
        return {one: min(self._reached(one, beside)) for one in {e.customer for e in self.edges.values()}}

    @staticmethod
    def _reached(one: str, beside: dict[str, set[str]]) -> set[str]:
        seen, ahead = {one}, [one]
        while ahead:
            for other in beside[ahead.pop()] - seen:
                seen.add(other)
                ahead.append(other)
        return seen

    def home(self, customer: str, keys: dict[tuple[str, str], bytes]) -> bytes | None:
        on = self.on()
        mine = [
            e
            for e in self.edges.values()
            if e.customer == customer
            and e.kind in ("household", "address")
            and (e.kind, e.text) not in self.allowed
            and len(on[e.kind, e.text]) <= 12
        ]
        if not mine:
            return None
        mine.sort(key=lambda e: keys[e.kind, e.text])
        mine.sort(key=lambda e: (e.kind == "household", e.first_at), reverse=True)
        return keys[mine[0].kind, mine[0].text]


def person(number: int) -> str:
    """Ids in an order of their own, so that the smallest is not the first."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"person {number}"))


async def kept(tx: Tx) -> dict[str, tuple[str, bytes | None]]:
    """Customer → (component, household) as the tables have it."""
    rows = await tx.connection.fetch(
        "select customer_id, component, household from relations.members where institution_id = $1",
        tx.institution_id,
    )
    return {row["customer_id"]: (row["component"], row["household"]) for row in rows}


def expected(hand: ByHand, tx: Tx) -> dict[str, tuple[str, bytes | None]]:
    keys = {(e.kind, e.text): relations.key(tx, e.kind, e.text) for e in hand.edges.values()}
    return {one: (low, hand.home(one, keys)) for one, low in hand.components().items()}


async def application(tx: Tx, customer_id: str | None = None) -> str:
    """The id of a bare row, for what must belong to a case."""
    number = ids.new()
    await tx.connection.execute(
        "insert into applications.applications (institution_id, id, application_no, product_code, product_version,"
        " channel, customer_id, created_at, updated_at) values ($1, $2, $3, 'SXD', 'SXD@1', 'web', null, $4, $4)",
        tx.institution_id,
        number,
        number[-12:],
        tx.now,
    )
    return number


async def sight(
    tx: Tx, application_id: str, customer_id: str, seen: dict[str, str], edges: Sequence[relations.Edge] = ()
) -> None:
    """Here and now, for who looks in the same transaction."""
    before = len(tx.at_the_end)
    relations.sight(tx, application_id, customer_id, seen, edges)
    for statement in tx.at_the_end[before:]:
        await tx.reviewed.execute(statement)
    del tx.at_the_end[before:]


async def share(tx: Tx, kind: str, text: str, people: Iterable[str], **more: Any) -> None:
    for one in people:
        await relations.connect(tx, one, kind, text, source="application", **more)


async def homes(tx: Tx, people: Iterable[str]) -> None:
    """Everybody at an address of their own."""
    for one in people:
        await relations.connect(tx, one, "address", f"柳林村{one}号", source="application")
