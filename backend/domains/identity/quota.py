"""Quotas that hold exactly across worker processes (ASVS 2.4.1)."""

from datetime import UTC, datetime, timedelta

from backend.core.errors import TooMany
from backend.db.database import Tx
from backend.domains.identity.service import Q


class Limit:
    """`most` times in each window of `seconds`, counted from fixed window starts."""

    def __init__(self, name: str, most: int, seconds: int, error: type[TooMany] = TooMany) -> None:
        self.name, self.most, self.seconds, self.error = name, most, seconds, error

    async def take(self, tx: Tx, who: str) -> None:
        """Use one. Raises the limit's error with the seconds until the next window.

        `who` is an id or a blind index in hexadecimal, never personal data.
        """
        start = int(tx.now.timestamp()) // self.seconds * self.seconds
        starts_at = datetime.fromtimestamp(start, UTC)
        row = await Q.take_quota(tx, key=f"{self.name}:{who}", starts_at=starts_at, most=self.most)
        if row is None:
            end = starts_at + timedelta(seconds=self.seconds)
            raise self.error(retry_after=int((end - tx.now).total_seconds()) + 1)

    async def take_at(self, tx: Tx, address: str) -> None:
        """As `take`, for a network address as doors count it; nothing where none can be counted."""
        if address:
            await self.take(tx, tx.vault.blind("address", address).hex())


class Gap:
    """Once, and not again before `seconds` have passed: counted from the last time, not from the clock's minute."""

    def __init__(self, name: str, seconds: int, error: type[TooMany]) -> None:
        self.name, self.seconds, self.error = name, seconds, error

    async def take(self, tx: Tx, who: str) -> None:
        """Raises the error with the seconds that are left."""
        key = f"{self.name}:{who}"
        await Q.hold_gap(tx, key=key)
        last: datetime | None = await Q.last_taken(tx, key=key)
        left = self.seconds - (tx.now - last).total_seconds() if last else 0.0
        if left > 0:
            raise self.error(retry_after=int(left) + 1)
        await Q.take_quota(tx, key=key, starts_at=tx.now, most=1)


async def forget_old(tx: Tx) -> int:
    return int(await Q.forget_quotas(tx, before=tx.now - timedelta(days=2)))
