"""How long a request's body may take, and how many unfinished ones the process bears (trust §2, §4).

The server bears a number of connections, and a body that trickles holds one of them. So a form must be there
soon, a photograph must keep coming, and slow bodies have a number of places well below the server's own: whoever
only looks at a page always gets through.
"""

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import litestar
import msgspec
from litestar.exceptions import HTTPException

from backend.settings import Settings
from backend.web import addresses

if TYPE_CHECKING:
    from litestar.types import Receive, Scope


class Patience(msgspec.Struct, frozen=True):
    """Seconds, unless it says otherwise. What a phone on 2G with a bad signal still reaches."""

    form: float = 8.0
    """A body of any route but those that take files, from its first byte to its last."""
    silence: float = 5.0
    """Between two pieces of a photograph."""
    photograph: float = 60.0
    least_rate: float = 1024.0
    """Bytes a second a photograph comes at, on the whole, after the first `silence` seconds."""
    unnoticed: float = 1.0
    """A body that is whole by then needs no place: many people at once are no attack."""
    places: int = 256
    """Slow bodies in the process: half of what the server lets in (`--backpressure` in `commands/parts.py`)."""
    places_of_address: int = 64
    """Of one network address, which a village shares through its carrier."""


class BodyTooSlow(HTTPException):
    """The body did not come in time."""

    status_code = 408


class TooManyBodies(HTTPException):
    """Too many slow bodies are under way, here or from this address."""

    status_code = 503


class Places:
    """The slow bodies of one process."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self._settings, self.patience = settings, patience
        self._held: Counter[str] = Counter()

    def take(self, scope: "Scope") -> str:
        """The address that holds the place, for `give_back`. Raises `TooManyBodies`."""
        address = addresses.counted(litestar.Request(scope), self._settings)
        of_address = self._held[address] if address else 0
        if self._held.total() >= self.patience.places or of_address >= self.patience.places_of_address:
            raise TooManyBodies()
        self._held[address] += 1
        return address

    def give_back(self, address: str) -> None:
        self._held[address] -= 1
        if not self._held[address]:
            del self._held[address]


class Body:
    """One request's `receive`: call it as the application does, `close` when the request is over."""

    def __init__(self, scope: "Scope", receive: "Receive", places: Places) -> None:
        self._scope, self._receive, self._places = scope, receive, places
        self._began = self._heard = 0.0
        self._bytes = 0
        self._place: str | None = None
        self._whole = False

    async def __call__(self) -> Any:
        """The next message. Raises `BodyTooSlow` and `TooManyBodies`, which the doors put into words."""
        if self._whole:
            return await self._receive()
        if not self._began:
            self._began = self._heard = time.monotonic()
        message = await self._next()
        self._heard = time.monotonic()
        self._bytes += len(message.get("body", b""))
        self._whole = message["type"] != "http.request" or not message.get("more_body")
        if self._whole:
            self.close()
        return message

    def close(self) -> None:
        if self._place is not None:
            self._places.give_back(self._place)
            self._place = None

    async def _next(self) -> Any:
        coming = asyncio.ensure_future(self._receive())
        try:
            if self._place is None:
                noticed = self._began + self._places.patience.unnoticed
                if await _arrived(coming, noticed):
                    return coming.result()
                self._place = self._places.take(self._scope)
            if not await _arrived(coming, self._due()):
                raise BodyTooSlow()
            return coming.result()
        finally:
            coming.cancel()  # of no effect on what has arrived

    def _due(self) -> float:
        """The moment by which the next piece must be here."""
        patience, handler = self._places.patience, self._scope.get("route_handler")
        if not getattr(handler, "opt", {}).get("files"):
            return self._began + patience.form
        return min(
            self._heard + patience.silence,
            self._began + patience.photograph,
            self._began + patience.silence + self._bytes / patience.least_rate,
        )


async def _arrived(coming: "asyncio.Future[Any]", by: float) -> bool:
    left = by - time.monotonic()
    if left > 0:
        await asyncio.wait({coming}, timeout=left)
    return coming.done()
