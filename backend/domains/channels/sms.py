"""SMS as the platform knows them: its number for each, and the receipt that says whether it arrived."""

from datetime import datetime

from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.channels.statements import Q


async def accepted(tx: Tx, message_id: str, case_id: str, template: str, at: datetime) -> None:
    """The platform took it; the same number again changes nothing."""
    await Q.sms_accepted(
        tx, institution_id=tx.institution_id, message_id=message_id, case_id=case_id, template=template, at=at
    )


async def institution_of(tx: Tx, message_id: str) -> str | None:
    """Whose SMS a receipt is about; needs a union-wide reader."""
    found: str | None = await Q.sms_institution(tx, message_id=message_id)
    return found


async def receipt(tx: Tx, message_id: str, status: str, at: datetime) -> bool:
    """Note a receipt; False when it is known already."""
    noted = bool(
        await Q.sms_receipt(tx, institution_id=tx.institution_id, message_id=message_id, status=status, at=at)
    )
    if noted:
        audit.add(tx, "sms.receipt", message_id, status=status)
    return noted
