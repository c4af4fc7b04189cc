"""Whose browser it is that asks: the session behind its cookie, and the application it works on, in one question."""

import msgspec

from backend.db import queries
from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.identity import service as identity
from backend.domains.identity.model import CustomerSession

Q = queries.load(__package__, "queries_browser.sql")


class Browser(msgspec.Struct, frozen=True):
    """`application`: the one it was begun with or taken up by; None before there is one."""

    session: CustomerSession
    application: Application | None


async def behind(tx: Tx, institution_id: str, token: str) -> Browser | None:
    """None for a cookie of an institution that stands for no session, or no longer. For `Database.alone`."""
    row = await Q.behind_cookie(
        tx, institution_id=institution_id, token_hash=identity.token_hash(token), now=tx.now
    )
    if row is None:
        return None
    session = CustomerSession(
        institution_id=institution_id,
        id=row["browser_id"],
        openid=row["browser_openid"],
        customer_id=row["browser_customer_id"],
        application_id=row["browser_application_id"],
        expires_at=row["browser_expires_at"],
    )
    return Browser(session, applications.read(tx, row) if row["application_no"] else None)
