"""The composition root: the one place that turns settings into a database, clients and readers.

`app.py`, the worker and the command line all start here; tests call it with another transport or DSN.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from backend.core.crypto import Vault
from backend.db import safety
from backend.db.database import Database
from backend.db.embedded import Embedded
from backend.domains.audit import service as audit
from backend.domains.channels.tokens import SharedTokenStore
from backend.flows.context import Context
from backend.integrations import registry
from backend.ocr.client import OcrClient
from backend.settings import Settings, signing_keys, vault_keys


def vault(settings: Settings) -> Vault:
    keys, current = vault_keys(settings)
    signing = signing_keys(settings)
    return Vault(keys, current, settings.index_key.encode(), settings.vault_algorithm, signing)


def dsns(settings: Settings) -> tuple[str, str, str | None]:
    """(application DSN, owner DSN, role to switch to).

    The embedded server has a login per role; with one external DATABASE_URL the application switches to
    `xiaodai_app` on that login.
    """
    if not settings.database_url:
        server = Embedded(settings.data)
        return server.dsn("xiaodai_app"), server.dsn("postgres"), None
    if settings.database_owner_url:
        return settings.database_url, settings.database_owner_url, None
    return settings.database_url, settings.database_url, "xiaodai_app"


def database(settings: Settings, size: int | None = None) -> Database:
    dsn, _, role = dsns(settings)
    return Database(
        dsn, vault(settings), flush_audit=audit.flush, size=size or settings.database_pool, role=role
    )


def rotation(settings: Settings) -> Database:
    """For key rotation alone: the owner's login under the role that may seal closed rows anew."""
    _, owner, _ = dsns(settings)
    return Database(owner, vault(settings), flush_audit=audit.flush, size=2, role="xiaodai_rotation")


@asynccontextmanager
async def opened(
    settings: Settings, *, db: Database | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Context]:
    """Everything open for a process; closed again at the end. A given `db` stays open."""
    mine = db is None
    db = db or database(settings)
    if mine:
        await db.open()
        try:
            await safety.refuse_unsafe(db, settings)
        except BaseException:
            await db.close()
            raise
    clients = registry.build(settings, transport=transport, tokens=SharedTokenStore(db, settings))
    try:
        yield Context(settings, db, clients, OcrClient(settings.ocr_socket))
    finally:
        await clients.close()
        if mine:
            await db.close()
