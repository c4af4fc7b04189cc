"""Bind a WeChat account to a person whose ID was checked (A5-01, A11-02)."""

from backend.core.errors import Conflict
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.channels import service as channels
from backend.domains.channels import tickets
from backend.domains.customers import service as customers
from backend.domains.customers.model import AlreadyBound
from backend.domains.relations import service as relations


async def bind_wechat(tx: Tx, openid: str, customer_id: str) -> None:
    """Raises `AlreadyBound`. From now on this county serves the account."""
    await customers.bind_openid(tx, openid, customer_id)
    await channels.route(tx, openid)
    await tickets.are_of(tx, openid, customer_id)
    await relations.connect(tx, customer_id, "openid", openid, role="own", source="binding")


async def bind_quietly(tx: Tx, openid: str, customer_id: str) -> bool:
    """As `bind_wechat` in the midst of an application: False, and a row in the audit log, when it cannot be."""
    try:
        # The savepoint keeps the caller's transaction usable when two phones race for one person.
        async with tx.savepoint():
            await bind_wechat(tx, openid, customer_id)
    except (AlreadyBound, Conflict):
        audit.add(tx, "customer.not_bound", customer_id, why="bound elsewhere")
        return False
    return True
