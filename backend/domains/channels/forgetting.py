"""What a WeChat account said to us goes with the person it spoke for (D7)."""

from backend.db.database import Tx
from backend.domains.channels.statements import Q


async def forget(tx: Tx, customer_id: str, openids: list[str]) -> list[str]:
    """Returns the numbers of the person's tickets, whose effects carry what was answered."""
    mine = {"institution_id": tx.institution_id, "openids": openids}
    rows = await Q.tickets_with(tx, **mine, customer_id=customer_id)
    await Q.forget_tickets(tx, **mine, customer_id=customer_id)
    await forget_accounts(tx, openids)
    return [row["ticket_no"] for row in rows]


async def forget_accounts(tx: Tx, openids: list[str]) -> None:
    """In one institution; the union's own talk, before a county was chosen, needs an actor of the union."""
    mine = {"institution_id": tx.institution_id, "openids": openids}
    await Q.forget_leads(tx, **mine)
    await Q.forget_account(tx, **mine)
