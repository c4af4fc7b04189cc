"""How a row's seal is named, and how sealed columns are brought under a new key (D3-14).

Which class each column is stands in `classes.py`. `tests/security/test_canary.py` looks for a traveller's data in
a dump of everything and finds it nowhere in clear.
"""

import msgspec

from backend.db import queries
from backend.db.database import Tx

Q = queries.load(__package__)


class Sealed(msgspec.Struct, frozen=True):
    """`row_id` is the SQL expression of the id that the seal is bound to."""

    table: str
    columns: tuple[str, ...]
    row_id: str = "id::text"


SEALED = (
    Sealed("applications.applications", ("declared",)),
    Sealed("applications.captures", ("reading", "confirmed")),
    Sealed("campaigns.reports", ("text_enc", "contact_enc", "answer_enc")),
    Sealed("channels.messages", ("text", "reply")),
    Sealed("channels.tickets", ("text", "answer")),
    Sealed("contracts.documents", ("content",)),
    Sealed("customers.freezes", ("reason", "release_why")),
    Sealed("customers.people", ("name_enc", "id_number_enc", "phone_enc", "address_enc", "issuer_enc")),
    Sealed("decision.assessments", ("capsule",)),
    Sealed("decision.decisions", ("capsule",)),
    Sealed("decision.last_cases", ("facts",)),
    Sealed("decision.nearest_changes", ("body",), "decision_id::text"),
    Sealed("evidence.answers", ("facts", "raw"), "application_id || '/' || source"),
    Sealed("guarantees.guarantees", ("terms",)),
    Sealed("models.training_tables", ("body",), "training_id::text"),
    Sealed("models.trainings", ("said",)),
    Sealed("outbox.effects", ("payload",)),
    Sealed("outbox.idempotency", ("answer",), "key"),
    Sealed("outbox.inbox", ("payload",), "source || '/' || message_id"),
    Sealed("post_loan.collection_cases", ("said",)),
    Sealed("post_loan.contact_notes", ("note",)),
    Sealed("post_loan.drawdown_checks", ("said", "found")),
    Sealed("post_loan.warnings", ("said", "done")),
    Sealed("relations.findings", ("said",)),
    Sealed("relations.list_entries", ("shown", "reason", "end_why")),
    Sealed("reviews.exceedings", ("exceeded", "why", "found")),
    Sealed("reviews.inquiries", ("asked", "answer")),
    Sealed("reviews.rechecks", ("why", "done")),
    Sealed("reviews.reviews", ("said",)),
    Sealed("strategies.scenarios", ("body",)),
    Sealed("surveys.photos", ("content",)),
    Sealed("surveys.surveys", ("answers", "checker_said")),
    Sealed("trials.batch_parts", ("body",), "run_id || '/' || number"),
)


async def rotate(tx: Tx, sealed: Sealed, column: str, most: int = 200) -> int:
    """Rewrite up to `most` fields of this institution that an older key sealed. Returns how many were found.

    Runs beside ordinary work: a field that changed in between is left as it is and found again.
    """
    rows = await Q.stale(
        tx, institution_id=tx.institution_id, table=sealed.table, column=column, row_id=sealed.row_id,
        current=tx.vault.current, most=most,
    )  # fmt: skip
    for row in rows:
        plain = tx.vault.open(sealed.table, column, row["row_id"], row["stored"])
        await Q.reseal(
            tx, institution_id=tx.institution_id, table=sealed.table, column=column, row_id=sealed.row_id,
            id=row["row_id"], old=row["stored"], new=tx.vault.seal(sealed.table, column, row["row_id"], plain),
        )  # fmt: skip
    return len(rows)
