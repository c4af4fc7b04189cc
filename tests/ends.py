"""Both ends of a test in one process: our whole application, and the sandbox it talks to.

Their routes are built once a process and lent to one test at a time: building both anew costs a third of a second,
more than most tests take. All they keep lies in their `state`, which every test fills anew.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ASGIApp

from backend import app as studio_app
from backend.sandbox import app as sandbox_app
from backend.sandbox.world import World
from backend.settings import Settings


class Late(httpx.AsyncBaseTransport):
    """A transport whose application is made later: the two ends know each other."""

    app: Any = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await httpx.ASGITransport(self.app).handle_async_request(request)


_free: list[tuple[Litestar, ASGIApp, Litestar]] = []


@asynccontextmanager
async def both(settings: Settings) -> AsyncIterator[tuple[Litestar, Litestar]]:
    """(ours, the sandbox), each with a state nobody has used. Ours still wants `state.context`."""
    late = Late()
    ours, router, sandbox = _free.pop() if _free else _built()
    ours.asgi_handler = router
    late.app = studio_app.put_up(ours, settings)
    sandbox.state = State({"world": World(settings, late)})
    try:
        yield ours, sandbox
    finally:
        _free.append((ours, router, sandbox))


def _built() -> tuple[Litestar, ASGIApp, Litestar]:
    ours = studio_app.routed()
    return ours, ours.asgi_handler, sandbox_app.routed()
