"""The official account's tokens in PostgreSQL, one row per account and kind, shared by all replicas.

A fetch calls outside, so no row may stay locked meanwhile: lock → write a lease → commit → fetch → store.
Who finds a lease waits for its end. A replica that dies while fetching holds the others up for `LEASE`.
"""

import asyncio
from datetime import timedelta
from typing import Any

from backend.core import clock, ids
from backend.core.actor import system
from backend.core.crypto import Unreadable
from backend.core.errors import Unavailable
from backend.db.database import Database, Tx
from backend.domains.channels.statements import Q
from backend.domains.institutions.model import UNION
from backend.integrations.wechat.port import Refresh
from backend.settings import Settings

LEASE = timedelta(seconds=12)  # longer than two calls at their deadline
EARLY = timedelta(seconds=60)  # the token must still live when the call arrives
LOOK_AGAIN = 0.05  # seconds
_TABLE = "channels.access_tokens"


class TokenNotFetched(Unavailable):
    """Another replica has been fetching for too long."""

    code = "wechat_token_not_fetched"
    message = "微信暂时连不上，请稍后再试"


class SharedTokenStore:
    """Implements the TokenStore of backend/integrations/wechat/port.py."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db, self._app_id = db, settings.wechat_app_id
        self._actor = system(UNION, "wechat tokens")

    async def get(self, refresh: Refresh, *, stale: str = "", name: str = "access_token") -> str:
        """The shared token; fetched by one caller when there is none, it ran out, or it is `stale`.

        Raises what `refresh` raises, or `TokenNotFetched`.
        """
        me = ids.new()
        for _ in range(int(2 * LEASE.total_seconds() / LOOK_AGAIN)):
            async with self._db.read(self._actor) as tx:
                token = self._opened(tx, name, await Q.token(tx, app_id=self._app_id, name=name))
            if token and token != stale:
                return token
            if await self._leased(me, name, stale):
                return await self._fetched(me, name, refresh)
            await asyncio.sleep(LOOK_AGAIN)
        raise TokenNotFetched()

    async def _leased(self, me: str, name: str, stale: str) -> bool:
        """Whether this caller may fetch: nobody else does, and the token is still not there."""
        async with self._db.begin(self._actor) as tx:
            await Q.ensure_token(tx, app_id=self._app_id, name=name)
            row = await Q.lock_token(tx, app_id=self._app_id, name=name)
            token = self._opened(tx, name, row)
            if (token and token != stale) or (row["refreshing_by"] and row["refreshing_until"] > tx.now):
                return False
            await Q.lease_token(
                tx, app_id=self._app_id, name=name, refreshing_by=me, refreshing_until=tx.now + LEASE
            )
            return True

    async def _fetched(self, me: str, name: str, refresh: Refresh) -> str:
        try:
            token, seconds = await refresh()
        except BaseException:
            async with self._db.begin(self._actor) as tx:
                await Q.release_token(tx, app_id=self._app_id, name=name, refreshing_by=me)
            raise
        async with self._db.begin(self._actor) as tx:
            await Q.store_token(
                tx,
                app_id=self._app_id,
                name=name,
                token=tx.vault.encrypt(_TABLE, "token", f"{self._app_id}/{name}", token),
                expires_at=clock.now() + timedelta(seconds=seconds) - EARLY,
                refreshing_by=me,
            )
        return token

    def _opened(self, tx: Tx, name: str, row: Any) -> str:
        """The living token of a row, or an empty text."""
        if row is None or row["token"] is None or row["expires_at"] <= tx.now:
            return ""
        try:
            return str(tx.vault.decrypt(_TABLE, "token", f"{self._app_id}/{name}", row["token"]))
        except Unreadable:  # sealed under a key that was destroyed meanwhile: fetched anew
            return ""
