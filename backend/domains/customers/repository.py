"""Rows in and out; sealing and opening happens here and nowhere else."""

import asyncio
from datetime import date
from typing import Any

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.customers.model import ERASED, Card, Consent, Person, SearchKind

Q = queries.load(__package__)

TABLE = "customers.people"


async def get(tx: Tx, customer_id: str) -> Person | None:
    row = await Q.get(tx, institution_id=tx.institution_id, id=customer_id)
    return _open(tx, row) if row else None


async def get_many(tx: Tx, customer_ids: list[str]) -> list[Person]:
    return [
        _open(tx, row) for row in await Q.get_many(tx, institution_id=tx.institution_id, ids=customer_ids)
    ]


async def names(tx: Tx, customer_ids: list[str]) -> dict[str, tuple[str, str]]:
    """id → (name, status)."""
    rows = await Q.names(tx, institution_id=tx.institution_id, ids=customer_ids)
    # On a thread: a list that is taken along holds thousands.
    return await asyncio.to_thread(
        lambda: {row["id"]: (_opened(tx, row, "name_enc"), row["status"]) for row in rows}
    )


async def find_by_id_number(tx: Tx, id_number: str) -> str | None:
    blind = tx.vault.blind("id_number", id_number)
    found: str | None = await Q.find_by_id_number(tx, institution_id=tx.institution_id, id_number_blind=blind)
    return found


async def claim_by_id_number(tx: Tx, id_number: str) -> str | None:
    blind = tx.vault.blind("id_number", id_number)
    found: str | None = await Q.claim_by_id_number(
        tx, institution_id=tx.institution_id, id_number_blind=blind
    )
    return found


async def claim(tx: Tx, customer_id: str) -> bool:
    return bool(await Q.claim(tx, institution_id=tx.institution_id, id=customer_id))


async def lock_phone(tx: Tx, phone: str) -> None:
    await Q.lock_phone(tx, phone_blind=tx.vault.blind("phone", phone))


async def phone_owner(tx: Tx, phone: str) -> str | None:
    blind = tx.vault.blind("phone", phone)
    found: str | None = await Q.phone_owner(tx, institution_id=tx.institution_id, phone_blind=blind)
    return found


async def phone_owners_everywhere(tx: Tx, phone: str) -> list[tuple[str, str]]:
    rows = await Q.phone_owners_everywhere(tx, phone_blind=tx.vault.blind("phone", phone))
    return [(row["institution_id"], row["id"]) for row in rows]


async def same_person_everywhere(tx: Tx, id_number: str) -> list[tuple[str, str]]:
    rows = await Q.same_person_everywhere(tx, id_number_blind=tx.vault.blind("id_number", id_number))
    return [(row["institution_id"], row["id"]) for row in rows]


async def search(
    tx: Tx, institution_ids: list[str], kind: SearchKind, text: str, most: int
) -> list[tuple[str, str]]:
    blinds: dict[str, bytes | None] = dict.fromkeys(("id_number_blind", "phone_blind", "name_blind"))
    blinds[f"{kind}_blind"] = _name_blind(tx, text) if kind == "name" else tx.vault.blind(kind, text)
    rows = await Q.search(tx, institution_ids=institution_ids, most=most, **blinds)
    return [(row["institution_id"], row["id"]) for row in rows]


async def without_name_index(tx: Tx, most: int) -> list[tuple[str, str, str]]:
    """(institution, customer, name)"""
    rows = await Q.without_name_index(tx, most=most)
    return [
        (row["institution_id"], row["id"], tx.vault.decrypt(TABLE, "name_enc", row["id"], row["name_enc"]))
        for row in rows
    ]


async def set_name_index(tx: Tx, customer_id: str, name: str) -> None:
    blind = _name_blind(tx, name)
    await Q.set_name_index(tx, institution_id=tx.institution_id, id=customer_id, name_blind=blind)


async def insert(tx: Tx, card: Card) -> str | None:
    customer_id = ids.new()
    added: str | None = await Q.insert(
        tx,
        institution_id=tx.institution_id,
        id=customer_id,
        name_enc=_seal(tx, customer_id, "name_enc", card.name),
        name_blind=_name_blind(tx, card.name),
        id_number_enc=_seal(tx, customer_id, "id_number_enc", card.id_number),
        id_number_blind=tx.vault.blind("id_number", card.id_number),
        address_enc=_seal(tx, customer_id, "address_enc", card.address),
        issuer_enc=_seal(tx, customer_id, "issuer_enc", card.issuer),
        birth_on=card.birth_on,
        sex=card.sex,
        nation=card.nation,
        card_valid_from=card.valid_from,
        card_valid_until=card.valid_until,
        now=tx.now,
    )
    return added


async def update_from_card(tx: Tx, customer_id: str, card: Card) -> None:
    await Q.update_from_card(
        tx,
        institution_id=tx.institution_id,
        id=customer_id,
        name_enc=_seal(tx, customer_id, "name_enc", card.name),
        name_blind=_name_blind(tx, card.name),
        address_enc=_seal(tx, customer_id, "address_enc", card.address),
        issuer_enc=_seal(tx, customer_id, "issuer_enc", card.issuer),
        nation=card.nation,
        card_valid_from=card.valid_from,
        card_valid_until=card.valid_until,
        now=tx.now,
    )


async def set_phone(tx: Tx, customer_id: str, phone: str) -> int:
    changed: int = await Q.set_phone(
        tx,
        institution_id=tx.institution_id,
        id=customer_id,
        phone_enc=_seal(tx, customer_id, "phone_enc", phone),
        phone_blind=tx.vault.blind("phone", phone),
        now=tx.now,
    )
    return changed


async def move(tx: Tx, customer_id: str, from_status: str, to_status: str) -> int:
    changed: int = await Q.move(
        tx,
        institution_id=tx.institution_id,
        id=customer_id,
        from_status=from_status,
        to_status=to_status,
        now=tx.now,
    )
    return changed


async def bind(tx: Tx, openid: str, customer_id: str) -> bool:
    added = await Q.bind(
        tx,
        institution_id=tx.institution_id,
        id=ids.new(),
        openid=openid,
        customer_id=customer_id,
        now=tx.now,
    )
    return added is not None


async def customer_of(tx: Tx, openid: str) -> str | None:
    found: str | None = await Q.customer_of(tx, institution_id=tx.institution_id, openid=openid)
    return found


async def openid_of(tx: Tx, customer_id: str) -> str | None:
    found: str | None = await Q.openid_of(tx, institution_id=tx.institution_id, customer_id=customer_id)
    return found


async def unbind(tx: Tx, openid: str) -> int:
    ended: int = await Q.unbind(tx, institution_id=tx.institution_id, openid=openid, now=tx.now)
    return ended


async def bindings_everywhere(tx: Tx, openid: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in await Q.bindings_everywhere(tx, openid=openid)]


async def give_consent(tx: Tx, customer_id: str, consent: Consent, source: str) -> None:
    await Q.keep_consent_text(
        tx, institution_id=tx.institution_id, sha256=bytes.fromhex(consent.text_sha256), source=source
    )
    await Q.give_consent(
        tx,
        institution_id=tx.institution_id,
        id=consent.id,
        customer_id=customer_id,
        purpose=consent.purpose,
        recipient=consent.recipient,
        version=consent.version,
        text_sha256=bytes.fromhex(consent.text_sha256),
        channel=consent.channel,
        given_at=consent.given_at,
        valid_until=consent.valid_until,
    )


async def consent_text(tx: Tx, sha256: str) -> str:
    source: str = await Q.consent_text(tx, institution_id=tx.institution_id, sha256=bytes.fromhex(sha256))
    return source


async def standing_consent(
    tx: Tx, customer_id: str, purpose: str, recipient: str, on: date
) -> Consent | None:
    row = await Q.standing_consent(
        tx,
        institution_id=tx.institution_id,
        customer_id=customer_id,
        purpose=purpose,
        recipient=recipient,
        on_day=on,
    )
    return _consent(row) if row else None


async def withdraw_consents(tx: Tx, customer_id: str, purpose: str) -> int:
    ended: int = await Q.withdraw_consents(
        tx, institution_id=tx.institution_id, customer_id=customer_id, purpose=purpose, now=tx.now
    )
    return ended


async def consents_of(tx: Tx, customer_id: str) -> list[Consent]:
    rows = await Q.consents_of(tx, institution_id=tx.institution_id, customer_id=customer_id)
    return [_consent(row) for row in rows]


def _consent(row: Any) -> Consent:
    fields = dict(row)
    return Consent(**(fields | {"text_sha256": fields["text_sha256"].hex()}))


def _seal(tx: Tx, customer_id: str, column: str, text: str) -> bytes:
    return tx.vault.encrypt(TABLE, column, customer_id, text)


async def refuses(tx: Tx, customer_id: str, topic: str) -> bool:
    return bool(await Q.refuses(tx, institution_id=tx.institution_id, customer_id=customer_id, topic=topic))


async def choose_notice(tx: Tx, customer_id: str, topic: str, refused: bool) -> bool:
    return bool(
        await Q.choose_notice(
            tx,
            institution_id=tx.institution_id,
            customer_id=customer_id,
            topic=topic,
            refused=refused,
            now=tx.now,
        )
    )


def _opened(tx: Tx, row: Any, column: str) -> str:
    """Empty for what is not there: a phone nobody proved, anything of who was forgotten."""
    stored = row[column]
    return tx.vault.decrypt(TABLE, column, row["id"], stored) if stored else ""


def _open(tx: Tx, row: Any) -> Person:
    return Person(
        institution_id=row["institution_id"],
        id=row["id"],
        name=ERASED if row["status"] == "erased" else _opened(tx, row, "name_enc"),
        id_number=_opened(tx, row, "id_number_enc"),
        phone=_opened(tx, row, "phone_enc") or None,
        address=_opened(tx, row, "address_enc"),
        issuer=_opened(tx, row, "issuer_enc"),
        birth_on=row["birth_on"],
        sex=row["sex"],
        nation=row["nation"] or "",
        card_valid_from=row["card_valid_from"],
        card_valid_until=row["card_valid_until"],
        status=row["status"],
        created_at=row["created_at"],
    )


def _name_blind(tx: Tx, name: str) -> bytes:
    """Blanks and the two dots of names like 阿依古丽·买买提 make no difference."""
    return tx.vault.blind("name", "".join(name.split()).replace("•", "·"))
