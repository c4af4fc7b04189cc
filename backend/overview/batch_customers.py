"""Whom a batch scores, with what is stored of them (issue 3 section 8): a county's own customers, for head office those
of all counties (`decided.reader_of`)."""

from backend.core import clock, ids
from backend.core.actor import ALL_INSTITUTIONS
from backend.db import queries
from backend.db.database import Tx
from backend.domains.trials.batch_runs import Purpose
from backend.domains.trials.stored_facts import Stored

Q = queries.load(__package__, "queries_batches.sql")


async def count(tx: Tx, purpose: Purpose) -> int:
    """For pre-approval everybody with a decision, for early warning those of them with a loan."""
    borrowers = purpose == "early_warning"
    return int(await Q.batch_size(tx, institution_id=tx.institution_id, borrowers=borrowers))


async def page(tx: Tx, purpose: Purpose, after: str, most: int) -> list[Stored]:
    """Behind a place (`place_of`), '' for the first page."""
    own = "" if tx.institution_id == ALL_INSTITUTIONS else tx.institution_id
    institution, _, customer = (after or f"{own}/{ids.FIRST}").partition("/")
    rows = await Q.batch_page(
        tx,
        institution_id=tx.institution_id,
        after_institution=institution,
        after=customer,
        borrowers=purpose == "early_warning",
        today=clock.today(),
        most=most,
    )
    return [
        Stored(
            institution_id=row["institution_id"],
            customer_id=row["customer_id"],
            application_no=row["application_no"],
            capsule=tx.vault.open("decision.decisions", "capsule", row["decision_id"], row["capsule"]),
            was=row["score"],
            consents=frozenset(row["consents"]),
        )
        for row in rows
    ]


def place_of(row: Stored) -> str:
    return f"{row.institution_id}/{row.customer_id}"
