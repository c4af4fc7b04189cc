"""One transaction in the hands of several people, for tests of what takes two."""

from backend.core.actor import Actor
from backend.db.database import Tx, introduce


async def act_as(tx: Tx, actor: Actor) -> None:
    """From here on the transaction is this person's; the database is told as well."""
    await tx.connection.execute(introduce(actor))
    tx.actor = actor


async def sign_as(tx: Tx, actor: Actor) -> None:
    """The same in the institution the test has chosen by hand."""
    await tx.connection.execute("select set_config('app.actor', $1, true)", str(actor))
    tx.actor = actor
