"""One function per query; tokens are put together and reports sealed here."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.core import ids
from backend.core.crypto import Unreadable
from backend.db import queries
from backend.db.database import Tx
from backend.domains.campaigns import rules
from backend.domains.campaigns.model import Campaign, Funnel, Material, Report, ResponsibleCode

Q = queries.load(__package__)


async def add_campaign(
    tx: Tx,
    campaign_id: str,
    name: str,
    product_code: str,
    purpose: str | None,
    village: str | None,
    starts_on: date,
    ends_on: date,
) -> bool:
    added = await Q.add_campaign(
        tx,
        institution_id=tx.institution_id,
        id=campaign_id,
        name=name,
        product_code=product_code,
        purpose=purpose,
        village=village,
        starts_on=starts_on,
        ends_on=ends_on,
        created_by=tx.actor.id,
        now=tx.now,
    )
    return bool(added)


async def campaign(tx: Tx, campaign_id: str) -> Campaign | None:
    row = await Q.campaign(tx, institution_id=tx.institution_id, id=campaign_id)
    return Campaign(**dict(row)) if row else None


async def end_campaign(tx: Tx, campaign_id: str) -> int:
    ended: int = await Q.end_campaign(tx, institution_id=tx.institution_id, id=campaign_id)
    return ended


async def add_material(
    tx: Tx, material_id: str, material_no: str, campaign_id: str, headline: str, risk_text: str
) -> int:
    version: int = await Q.add_material(
        tx,
        institution_id=tx.institution_id,
        id=material_id,
        material_no=material_no,
        campaign_id=campaign_id,
        headline=headline,
        risk_text=risk_text,
        sha256=rules.content_hash(headline, risk_text),
        maker=tx.actor.id,
        now=tx.now,
    )
    return version


async def material(tx: Tx, material_id: str) -> Material | None:
    row = await Q.material(tx, institution_id=tx.institution_id, id=material_id)
    return _material(row) if row else None


async def approve_material(tx: Tx, material_id: str) -> int:
    changed: int = await Q.approve_material(
        tx, institution_id=tx.institution_id, id=material_id, reviewer=tx.actor.id, now=tx.now
    )
    return changed


async def withdraw_material(tx: Tx, material_id: str) -> int:
    changed: int = await Q.withdraw_material(tx, institution_id=tx.institution_id, id=material_id, now=tx.now)
    return changed


async def add_code(
    tx: Tx,
    *,
    officer_id: str,
    qualification_no: str,
    campaign_id: str,
    placement: str,
    placement_label: str,
    material_id: str,
    expires_at: datetime,
) -> str | None:
    code_id, serial = ids.new(), rules.new_serial()
    added: str | None = await Q.add_code(
        tx,
        institution_id=tx.institution_id,
        id=code_id,
        serial=serial,
        key_id=tx.vault.signing_key,
        officer_id=officer_id,
        qualification_no=qualification_no,
        campaign_id=campaign_id,
        placement=placement,
        placement_label=placement_label,
        material_id=material_id,
        issued_at=tx.now,
        expires_at=expires_at,
    )
    return added


async def verification(
    tx: Tx, *, serial: str | None = None, code_id: str | None = None
) -> tuple[ResponsibleCode, Campaign, datetime | None] | None:
    """A code, its campaign, and when its material was withdrawn."""
    row = await Q.verification(tx, institution_id=tx.institution_id, serial=serial, id=code_id)
    return None if row is None else _with_campaign(tx, row)


async def verifications(
    tx: Tx, officers: Sequence[str]
) -> list[tuple[ResponsibleCode, Campaign, datetime | None]]:
    rows = await Q.verifications(tx, institution_id=tx.institution_id, officers=list(officers))
    return [_with_campaign(tx, row) for row in rows]


def _with_campaign(tx: Tx, row: Any) -> tuple[ResponsibleCode, Campaign, datetime | None]:
    fields = dict(row)
    withdrawn_at = fields.pop("withdrawn_at")
    own = {"id": fields.pop("id_of_campaign")}
    own |= {name: fields.pop(name) for name in Campaign.__struct_fields__ if name != "id"}
    return _code(tx, fields), Campaign(**own), withdrawn_at


async def code(tx: Tx, code_id: str) -> ResponsibleCode | None:
    row = await Q.code(tx, institution_id=tx.institution_id, id=code_id)
    return _code(tx, row) if row else None


async def codes(tx: Tx) -> list[ResponsibleCode]:
    rows = await Q.codes(tx, institution_id=tx.institution_id)
    return [_code(tx, row) for row in rows]


async def revoke(tx: Tx, code_id: str, reason: str) -> int:
    changed: int = await Q.revoke(tx, institution_id=tx.institution_id, id=code_id, reason=reason, now=tx.now)
    return changed


async def revoke_officer(tx: Tx, officer_id: str, reason: str) -> int:
    changed: int = await Q.revoke_officer(
        tx, institution_id=tx.institution_id, officer_id=officer_id, reason=reason, now=tx.now
    )
    return changed


async def freeze(tx: Tx, code_id: str, reason: str) -> int:
    changed: int = await Q.freeze(tx, institution_id=tx.institution_id, id=code_id, reason=reason, now=tx.now)
    return changed


async def add_scan(tx: Tx, code_id: str, channel: str, visitor: str, state: str) -> str:
    scan_id = ids.new()
    await Q.add_scan(
        tx,
        institution_id=tx.institution_id,
        id=scan_id,
        code_id=code_id,
        now=tx.now,
        channel=channel,
        visitor=tx.vault.blind("visitor", visitor),
        state=state,
    )
    return scan_id


async def add_report(
    tx: Tx, ticket_no: str, code_id: str | None, kind: str, text: str, contact: str | None
) -> None:
    report_id = ids.new()
    await Q.add_report(
        tx,
        institution_id=tx.institution_id,
        id=report_id,
        ticket_no=ticket_no,
        code_id=code_id,
        kind=kind,
        text_enc=tx.vault.encrypt("campaigns.reports", "text_enc", report_id, text),
        contact_enc=tx.vault.encrypt("campaigns.reports", "contact_enc", report_id, contact)
        if contact
        else None,
        teller=tx.vault.blind("teller", tx.actor.id),
        now=tx.now,
    )


async def reports(tx: Tx) -> list[Report]:
    return [_report(tx, row) for row in await Q.reports(tx, institution_id=tx.institution_id)]


async def report(tx: Tx, ticket_no: str) -> Report | None:
    row = await Q.report(tx, institution_id=tx.institution_id, ticket_no=ticket_no)
    return _report(tx, row) if row else None


async def answer_report(tx: Tx, report_id: str, answer: str) -> int:
    sealed = tx.vault.encrypt("campaigns.reports", "answer_enc", report_id, answer)
    changed: int = await Q.answer_report(
        tx, institution_id=tx.institution_id, id=report_id, answer_enc=sealed, now=tx.now
    )
    return changed


async def funnel(tx: Tx, campaign_id: str) -> list[Funnel]:
    rows = await Q.funnel(tx, institution_id=tx.institution_id, campaign_id=campaign_id)
    return [Funnel(**dict(row)) for row in rows]


def _material(row: Any) -> Material:
    fields = dict(row)
    return Material(**(fields | {"sha256": fields["sha256"].hex()}))


def _report(tx: Tx, row: Any) -> Report:
    fields = dict(row)
    for column in ("text", "answer"):
        stored = fields.pop(f"{column}_enc")
        fields[column] = (
            tx.vault.decrypt("campaigns.reports", f"{column}_enc", fields["id"], stored) if stored else ""
        )
    return Report(**fields)


def _code(tx: Tx, row: Any) -> ResponsibleCode:
    """The token is not stored: it is worked out from the row under the key it was issued with.

    It is empty when that key is gone.
    """
    fields = dict(row)
    serial, key_id = fields.pop("serial"), fields.pop("key_id")
    bare = ResponsibleCode(token="", **fields)
    try:
        seal = tx.vault.sign(rules.SEALED_FOR, rules.claims_of(bare, serial), key_id)
    except Unreadable:
        return bare
    token = rules.token_of(bare.institution_id, key_id, serial, seal)
    return msgspec.structs.replace(bare, token=token)
