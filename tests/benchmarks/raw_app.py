"""The ceiling of the web figures: an ASGI function over a bare asyncpg pool, nothing else."""

import os
from typing import Any

import asyncpg

BODY_HEADERS = [(b"content-type", b"application/json")]


def create() -> Any:
    pool: Any = None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal pool
        if scope["type"] == "lifespan":
            await receive()
            pool = await asyncpg.create_pool(os.environ["BENCH_DSN"], min_size=1, max_size=10)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        value = await pool.fetchval("select 1") if scope["path"] == "/one" else 0
        await send({"type": "http.response.start", "status": 200, "headers": BODY_HEADERS})
        await send({"type": "http.response.body", "body": b'{"value":%d}' % value})

    return app
