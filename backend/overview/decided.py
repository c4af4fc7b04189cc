"""Past decisions for a trial: what was decided on, and the groups it is reported by. Inside a read; a union-wide
actor sees every county."""

from collections.abc import Sequence

from backend.core import ids
from backend.core.actor import Actor, everywhere
from backend.db import queries
from backend.db.database import Tx
from backend.domains.institutions.model import UNION

Q = queries.load(__package__, "queries_trials.sql")


def reader_of(actor: Actor) -> Actor:
    """Head office tries on all counties' decisions, a county on its own."""
    return everywhere(actor.id) if actor.institution_id == UNION else actor


def place_of(row: tuple[str, str, bytes, str]) -> str:
    """Where the page after this row begins."""
    return f"{row[1]}/{row[0]}"


async def count(tx: Tx, share: int, only: Sequence[str] = ()) -> int:
    """Of `share` in 65536, drawn by the random end of the id; of the institutions in `only`, or of all."""
    return int(await Q.decided_count(tx, institution_id=tx.institution_id, only=list(only), share=share))


async def products(tx: Tx, only: Sequence[str] = ()) -> list[tuple[str, str]]:
    """(institution, product) there are decisions of."""
    rows = await Q.decided_products(tx, institution_id=tx.institution_id, only=list(only))
    return [(row["institution_id"], row["product_code"]) for row in rows]


async def page(
    tx: Tx, after: str, most: int, share: int, only: Sequence[str] = ()
) -> list[tuple[str, str, bytes, str]]:
    """(decision, institution, capsule as decided, sex or '') after a place (`place_of`), '' for the first page."""
    institution, _, decision = after.partition("/")
    rows = await Q.decided_page(
        tx,
        institution_id=tx.institution_id,
        only=list(only),
        after_institution=institution,
        after=decision or ids.FIRST,
        most=most,
        share=share,
    )
    return [
        (
            row["id"],
            row["institution_id"],
            tx.vault.open("decision.decisions", "capsule", row["id"], row["capsule"]),
            row["sex"],
        )
        for row in rows
    ]
