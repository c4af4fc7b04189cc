"""The ceiling of the web figures: an ASGI function over a bare asyncpg pool, nothing else.

`/one` reads the contract `BENCH_CASE` by its key as the owner: no signature, no institution, no log. `/said`
writes one row in a transaction, as the least that keeps a message.
"""

import os
from typing import Any

import asyncpg
import msgspec

HEADERS = [(b"content-type", b"application/json")]
ONE = "select status, valid_until from contracts.contracts where institution_id = '4101' and application_id = $1"
SAID = "insert into bench_rows (institution_id, note) values ('4101', $1)"


def create() -> Any:
    pool: Any = None

    async def one() -> bytes:
        row = await pool.fetchrow(ONE, os.environ["BENCH_CASE"])
        return msgspec.json.encode({"status": row["status"], "valid_until": row["valid_until"]})

    async def said() -> bytes:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(SAID, "x")
        return b"{}"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal pool
        if scope["type"] == "lifespan":
            await receive()
            pool = await asyncpg.create_pool(os.environ["BENCH_DSN"], min_size=1, max_size=10)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await receive()
        answer = {"/one": one, "/said": said}.get(scope["path"])
        body = await answer() if answer else b"{}"
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
        await send({"type": "http.response.body", "body": body})

    return app
