"""What other code may ask of the graph. Nothing here asks anybody outside; texts become blind indexes at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from backend.core import clock
from backend.db.database import Tx
from backend.domains.relations import repository, rules
from backend.domains.relations.model import (
    Hit,
    Kind,
    ListHit,
    Neighbourhood,
    Pattern,
    Role,
    Source,
    Velocity,
)
from backend.domains.relations.repository import Q

BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)
ALL = 1_000_000


def key(tx: Tx, kind: str, text: str) -> bytes:
    """The blind index under which a text of this kind is known."""
    return tx.vault.blind(f"mark {kind}", rules.plain(kind, text))


class Edge(msgspec.Struct, frozen=True):
    """Something a customer uses or owns, and the event that shows it."""

    kind: str
    text: str
    source: Source
    role: Role = "used"


def sight(
    tx: Tx, application_id: str, customer_id: str, seen: Mapping[str, str], edges: Sequence[Edge] = ()
) -> None:
    """Count what came up in a case, by kind, empty texts left out; and note what the customer uses or owns, in the
    transaction of the event that shows it. An edge seen before moves its last time alone.

    It is done in the round trip of the commit: the institution's lock is taken there, so that of many at once each
    sees exactly those before it, and nothing else is left to do for who holds it.
    """
    there = [(kind, text) for kind, text in sorted(seen.items()) if text]
    Q.sight.at_the_end(
        tx,
        institution_id=tx.institution_id,
        application_id=application_id,
        customer_id=customer_id,
        kinds=[kind for kind, _ in there],
        keys=[key(tx, kind, text) for kind, text in there],
        edge_kinds=[edge.kind for edge in edges],
        edge_keys=[key(tx, edge.kind, edge.text) for edge in edges],
        roles=[edge.role for edge in edges],
        sources=[edge.source for edge in edges],
        now=tx.now,
    )


async def connect(
    tx: Tx,
    customer_id: str,
    kind: str,
    text: str,
    *,
    source: Source,
    role: Role = "used",
    application_id: str | None = None,
) -> None:
    """One edge without a sighting, here and now. Call it last: the institution's lock is held from here to the end."""
    await Q.connect(
        tx,
        institution_id=tx.institution_id,
        customer_id=customer_id,
        kind=kind,
        key=key(tx, kind, text),
        role=role,
        source=source,
        application_id=application_id,
        now=tx.now,
    )


async def guarantee(tx: Tx, borrower_id: str, guarantor_id: str, application_id: str) -> None:
    """保证: both ends of one edge, the guarantor's own and the borrower's (A1-08)."""
    await connect(tx, guarantor_id, "guarantor", guarantor_id, source="guarantee", role="own")
    await connect(
        tx, borrower_id, "guarantor", guarantor_id, source="guarantee", application_id=application_id
    )


async def velocity(tx: Tx, application_id: str) -> Velocity:
    """How often what came up in a case came up before, counted back from its submission."""
    return await repository.velocity(tx, application_id)


async def neighbourhood(tx: Tx, customer_id: str) -> Neighbourhood:
    """The graph around a customer as it stands."""
    return await repository.neighbourhood(tx, customer_id)


async def listed(
    tx: Tx, customer_id: str, application_id: str | None, texts: Iterable[tuple[str, str]]
) -> list[ListHit]:
    """Standing entries, the institution's and the union's, for these (kind, text) and for everything the customer
    or the case was ever seen with."""
    given = [(kind, key(tx, kind, text)) for kind, text in texts if text]
    found = await Q.listed_around(
        tx,
        institution_id=tx.institution_id,
        customer_id=customer_id,
        application_id=application_id,
        kinds=[kind for kind, _ in given],
        keys=[each for _, each in given],
        today=clock.local(tx.now).date(),
    )
    return [ListHit(*row) for row in found if row["list"] != "allow"]


async def standing_of_many(
    tx: Tx, cases: Iterable[tuple[str, str]], texts: Iterable[tuple[str, str, str]]
) -> dict[str, str]:
    """How many customers stand on the lists (`rules.list_standing`), in one question; who is on none is left out.
    `cases`: (customer, application); `texts`: (customer, kind, text)."""
    pairs = list(cases)
    wanted = [(who, kind, key(tx, kind, text)) for who, kind, text in texts if text]
    rows = await Q.listed_many(
        tx,
        institution_id=tx.institution_id,
        customers=[who for who, _ in pairs],
        applications=[each for _, each in pairs],
        owners=[who for who, _, _ in wanted],
        kinds=[kind for _, kind, _ in wanted],
        keys=[each for _, _, each in wanted],
        today=clock.local(tx.now).date(),
    )
    found: dict[str, list[ListHit]] = {}
    for row in rows:
        if row["list"] != "allow":
            hit = ListHit(row["list"], row["kind"], row["union_wide"], row["id"])
            found.setdefault(row["customer_id"], []).append(hit)
    return {who: rules.list_standing(hits) for who, hits in found.items()}


async def blocked(tx: Tx, kind: str, text: str) -> bool:
    """Whether this one mark stands on a block list, the institution's or the union's."""
    found = await Q.listed(
        tx,
        institution_id=tx.institution_id,
        kinds=[kind],
        keys=[key(tx, kind, text)],
        today=clock.local(tx.now).date(),
    )
    return any(row["list"] == "block" for row in found)


async def kinds(tx: Tx) -> dict[str, Kind]:
    return {row["kind"]: Kind(*row) for row in await Q.kinds(tx)}


async def patterns(tx: Tx) -> dict[str, Pattern]:
    return {row["code"]: Pattern(*row) for row in await Q.patterns(tx)}


async def hits(tx: Tx, around: Neighbourhood) -> list[Hit]:
    """The patterns around a customer, with their evidence."""
    return rules.hits(around, await patterns(tx), tx.now)


async def list_hits(
    tx: Tx, customer_id: str, application_id: str, texts: Iterable[tuple[str, str]], *, staff_number: bool
) -> list[Hit]:
    """As `listed`, in words."""
    found = await listed(tx, customer_id, application_id, texts)
    return rules.list_hits(found, await kinds(tx), staff_number, (await patterns(tx))["RL_STAFF"])


async def elsewhere(tx: Tx, around: Neighbourhood) -> dict[bytes, tuple[int, int]]:
    """(institutions, customers) of other counties by key: figures alone (A1-02)."""
    shown = [link for link in around.links if not link.allowed]
    rows = await Q.elsewhere(
        tx,
        institution_id=tx.institution_id,
        kinds=[link.kind for link in shown],
        keys=[link.key for link in shown],
    )
    return {row["key"]: (row["institutions"], row["customers"]) for row in rows}


async def forget(tx: Tx, customer_id: str) -> None:
    """A person leaves the graph, and what hung together by them falls apart. Call it last, as `sight`. Lists keep
    their entries: they have terms of their own."""
    mine = {"institution_id": tx.institution_id, "customer_id": customer_id}
    await Q.forget_sightings(tx, **mine)
    if await Q.let_go(tx, **mine):
        await Q.age(tx, institution_id=tx.institution_id, before=BEFORE_ALL, most=ALL)
    await Q.forget_findings(tx, **mine)
