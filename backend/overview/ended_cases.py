"""Cases that became loans, by the decision the loan stands on: what a model may learn from once their end is known."""

import msgspec

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.decision.model import Capsule, Case

Q = queries.load(__package__, "queries_models.sql")


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """`case` as decided; whether its loan has ended is for `model_monitors.ends` to say."""

    institution_id: str
    application_id: str
    case: Case


def place_of(each: Ended) -> str:
    """Where the page after this one begins."""
    return f"{each.institution_id}/{each.application_id}"


async def page(tx: Tx, after: str, most: int) -> list[Ended]:
    """In the order of the key, '' for the first. A person who was forgotten (D7) has left no facts."""
    institution, _, application = after.partition("/")
    rows = await Q.loaned_cases(
        tx,
        institution_id=tx.institution_id,
        after_institution=institution,
        after=application or ids.FIRST,
        most=most,
    )
    return [
        Ended(
            institution_id=row["institution_id"],
            application_id=row["application_id"],
            case=msgspec.json.decode(
                tx.vault.open("decision.decisions", "capsule", row["id"], row["capsule"]), type=Capsule
            ).case,
        )
        for row in rows
    ]
