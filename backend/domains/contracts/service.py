"""What other code may ask about contracts. Every change leaves its audit row in the open `tx`."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.core import clock, ids, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.contracts.model import (
    CONTRACT,
    Confirmation,
    Contract,
    ContractMissing,
    ContractMoved,
    DisclosureNotConfirmed,
    Document,
    DocumentAltered,
    DocumentMissing,
    Terms,
)
from backend.domains.customers.model import Person

Q = queries.load(__package__)

_DOCUMENTS = "contracts.documents"


class NewDocument(msgspec.Struct, frozen=True):
    kind: str
    title: str
    sha256: str
    content: bytes


async def prepare(tx: Tx, application_id: str, person: Person, terms: Terms) -> Contract:
    """The draft contract of an approval; its number: institution, year, product, serial."""
    contract_id = ids.new()
    values = msgspec.structs.asdict(terms)
    values["limit_amount"] = money.yuan(values.pop("limit_fen"))
    row = await Q.insert(
        tx,
        institution_id=tx.institution_id,
        id=contract_id,
        application_id=application_id,
        customer_id=person.id,
        person_blind=_blind(tx, person),
        number_begins=f"{tx.institution_id}-{clock.today():%Y}-{terms.product_code}-",
        now=tx.now,
        **values,
    )
    made = _contract(row)
    assert made is not None
    audit.add(tx, "contract.prepared", made.contract_no, agreed_by=terms.agreed_by)
    return made


async def of_application(tx: Tx, application_id: str) -> Contract | None:
    return _contract(
        await Q.of_application(tx, institution_id=tx.institution_id, application_id=application_id)
    )


async def get(tx: Tx, application_id: str, *, lock: bool = False) -> Contract:
    """Raises `ContractMissing`, for an unknown application and for one of another institution alike."""
    query = Q.lock if lock else Q.of_application
    found = _contract(await query(tx, institution_id=tx.institution_id, application_id=application_id))
    if found is None:
        raise ContractMissing()
    return found


async def of_customer(tx: Tx, customer_id: str) -> list[Contract]:
    """The newest first."""
    rows = await Q.of_customer(tx, institution_id=tx.institution_id, customer_id=customer_id)
    return [found for found in map(_contract, rows) if found is not None]


async def standing(tx: Tx, application_id: str) -> tuple[str, date]:
    """(status, last day for the signature). Raises `ContractMissing`."""
    row = await Q.standing(tx, institution_id=tx.institution_id, application_id=application_id)
    if row is None:
        raise ContractMissing()
    return row["status"], row["valid_until"]


async def institution_of(tx: Tx, application_id: str) -> str:
    """Needs a union-wide reader. Raises `ContractMissing`."""
    found = await Q.institution_of(tx, application_id=application_id) if ids.is_uuid(application_id) else None
    if found is None:
        raise ContractMissing()
    return str(found)


async def promised(tx: Tx, person: Person) -> int:
    """Fen promised to a person for internet consumer loans but not yet signed, in any county of the union. Another
    approval of the same person waits until this transaction ends."""
    return money.fen(await Q.promised(tx, person_blind=_blind(tx, person)))


def _blind(tx: Tx, person: Person) -> bytes:
    return tx.vault.blind("id_number", person.id_number)


async def confirm(
    tx: Tx, contract: Contract, *, version: str, sha256: str, shown_at: datetime, required_seconds: int
) -> bool:
    """Keep the confirmation of the 明示表; False when it was confirmed before."""
    first = await Q.confirm(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        contract_id=contract.id,
        version=version,
        sha256=sha256,
        shown_at=shown_at,
        required_seconds=required_seconds,
        confirmed_by=str(tx.actor),
        now=tx.now,
    )
    if first:
        dwell = round((tx.now - shown_at).total_seconds(), 1)
        audit.add(tx, "disclosure.confirmed", contract.contract_no, sha256=sha256, seconds=dwell)
    return bool(first)


async def confirmation(tx: Tx, contract: Contract) -> Confirmation | None:
    row = await Q.confirmation(tx, institution_id=tx.institution_id, contract_id=contract.id)
    return Confirmation(*row) if row else None


async def fix(tx: Tx, contract: Contract, documents: Sequence[NewDocument]) -> Contract:
    """Fix the package: documents sealed, their hashes under one manifest, the contract ready to be signed.

    Raises `DisclosureNotConfirmed`, `ContractMoved`.
    """
    if await confirmation(tx, contract) is None:
        raise DisclosureNotConfirmed()
    for position, document in enumerate(documents):
        document_id = ids.new()
        await Q.add_document(
            tx,
            institution_id=tx.institution_id,
            id=document_id,
            contract_id=contract.id,
            position=position,
            kind=document.kind,
            title=document.title,
            sha256=document.sha256,
            content=tx.vault.seal(_DOCUMENTS, "content", document_id, document.content),
            now=tx.now,
        )
    manifest = manifest_of([document.sha256 for document in documents])
    await _moved(
        tx,
        contract,
        await Q.make_ready(
            tx, institution_id=tx.institution_id, id=contract.id, manifest_sha256=manifest, now=tx.now
        ),
    )
    audit.add(tx, "contract.ready", contract.contract_no, manifest=manifest, documents=len(documents))
    return await get(tx, contract.application_id)


def manifest_of(hashes: Sequence[str]) -> str:
    """SHA-256 over the documents' hashes in order."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


async def documents(tx: Tx, contract: Contract) -> tuple[Document, ...]:
    rows = await Q.documents(tx, institution_id=tx.institution_id, contract_id=contract.id)
    return tuple(Document(*row) for row in rows)


async def document(tx: Tx, contract: Contract, document_id: str) -> tuple[Document, bytes]:
    """A document with its bytes, checked against its hash. Raises `DocumentMissing`, also of somebody forgotten."""
    row = (
        await Q.document(tx, institution_id=tx.institution_id, contract_id=contract.id, id=document_id)
        if ids.is_uuid(document_id)
        else None
    )
    if row is None or not row["content"]:
        raise DocumentMissing()
    content = tx.vault.open(_DOCUMENTS, "content", row["id"], row["content"])
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        raise DocumentAltered(row["id"])
    return Document(row["id"], row["kind"], row["title"], row["sha256"]), content


async def sign(tx: Tx, contract: Contract, *, signature_no: str, line_no: str, signed_at: datetime) -> None:
    """The mobile bank has the signature. Raises `ContractMoved`."""
    signed = await Q.sign(
        tx,
        institution_id=tx.institution_id,
        id=contract.id,
        signature_no=signature_no,
        line_no=line_no,
        signed_at=signed_at,
        now=tx.now,
    )
    await _moved(tx, contract, signed)
    audit.add(tx, "contract.signed", contract.contract_no, signature=signature_no)


async def move(tx: Tx, contract: Contract, to_status: str, why: str) -> None:
    """Compare and set. Raises `ForbiddenMove`, `ContractMoved`."""
    CONTRACT.check(contract.status, to_status)
    done = await Q.move(
        tx,
        institution_id=tx.institution_id,
        id=contract.id,
        from_status=contract.status,
        to_status=to_status,
        now=tx.now,
    )
    await _moved(tx, contract, done)
    audit.add(tx, f"contract.{to_status}", contract.contract_no, why=why)


async def set_offer(tx: Tx, contract: Contract, offer_no: str) -> None:
    await Q.set_offer(tx, institution_id=tx.institution_id, id=contract.id, offer_no=offer_no, now=tx.now)


async def set_sequence(tx: Tx, contract: Contract, sequence: int) -> None:
    await Q.set_sequence(
        tx, institution_id=tx.institution_id, id=contract.id, bank_sequence=sequence, now=tx.now
    )


async def quiet(tx: Tx, before: datetime, most: int) -> list[tuple[str, str]]:
    """(institution, application) whose bank side was not asked since; needs a union-wide reader."""
    return [(row[0], row[1]) for row in await Q.quiet(tx, before=before, most=most)]


async def polled(tx: Tx, application_id: str) -> None:
    await Q.polled(tx, institution_id=tx.institution_id, application_id=application_id, now=tx.now)


async def lapsed(tx: Tx, on: date, most: int) -> list[tuple[str, str]]:
    """(institution, application) whose offer may no longer be signed; needs a union-wide reader."""
    return [(row[0], row[1]) for row in await Q.lapsed(tx, on=on, most=most)]


async def _moved(tx: Tx, contract: Contract, touched: int) -> None:
    if not touched:
        raise ContractMoved(label=(await get(tx, contract.application_id)).label)


def _contract(row: Any) -> Contract | None:
    if row is None:
        return None
    values = dict(row)
    values["limit_fen"] = money.fen(values.pop("limit_amount"))
    values["repayment_method"] = money.RepaymentMethod(values["repayment_method"])
    for column in ("polled_at", "updated_at", "person_blind"):
        del values[column]
    return Contract(**values)


async def forget(tx: Tx, application_ids: list[str]) -> None:
    """Of terms that nobody signed; their documents are emptied with all that is closed (`customers.erasing`)."""
    await Q.forget(tx, institution_id=tx.institution_id, applications=application_ids)
