"""A client that costs little: HTTP/1.1 over plain sockets, so that what is measured is the server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

HEADERS = (
    "host: 127.0.0.1\r\naccept: text/html,application/json\r\naccept-encoding: gzip\r\n"
    "user-agent: Mozilla/5.0 (Linux; Android 10) Chrome/116.0.0.0 Mobile Safari/537.36\r\n"
)


def get(path: str, headers: dict[str, str] | None = None) -> bytes:
    """A GET as a browser without cookies sends it."""
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return f"GET {path} HTTP/1.1\r\n{HEADERS}{more}\r\n".encode()


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{HEADERS}{more}content-length: {len(body)}\r\n\r\n".encode() + body


class _Connection(asyncio.Protocol):
    """One connection that is kept alive and sends the next request when an answer is whole."""

    def __init__(self, order: Callable[[], bytes | None], seconds: list[float]) -> None:
        self._order, self._seconds = order, seconds
        self._answer, self._began = b"", 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = self._order()
        if request is None:
            self._transport.close()
            return
        self._answer, self._began = b"", time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, gap, body = self._answer.partition(b"\r\n\r\n")
        if not gap or len(body) < _length(head):
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            self._fail(RuntimeError(self._answer[:300]))
            return
        self._seconds.append(time.perf_counter() - self._began)
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if error is None else self.done.set_exception(error)

    def _fail(self, error: Exception) -> None:
        self.done.set_exception(error)
        self._transport.abort()


def _length(head: bytes) -> int:
    found = head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0]
    return int(found or 0)


Phone = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Phone]:
    """A connection that is kept alive, as a browser keeps it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def exchange(phone: Phone, request: bytes) -> bytes:
    """The head of the answer to a request; its body is read and left."""
    reader, writer = phone
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(_length(head))
    return head


async def send(port: int, requests: Callable[[], bytes], count: int, clients: int) -> list[float]:
    """Send `count` requests over `clients` connections; the seconds each took. Raises for any but 200."""
    left, seconds = count, list[float]()

    def order() -> bytes | None:
        nonlocal left
        left -= 1
        return requests() if left >= 0 else None

    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: _Connection(order, seconds), "127.0.0.1", port))[1]
        for _ in range(clients)
    ]
    await asyncio.gather(*(connection.done for connection in opened))
    if len(seconds) != count:
        raise RuntimeError(f"{len(seconds)} of {count} answered")
    return seconds
