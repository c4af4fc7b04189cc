"""The reading service: its own process on a Unix socket, so that the web process never loads a model."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from backend.ocr import formats, frames, models
from backend.ocr.pool import Limits, Pool

WAITING = 32
"""Pictures that may wait for a worker; more are refused at once, which people take better than silence."""
_SLOW_SENDER = 15.0


async def serve(
    socket_path: Path,
    data: Path,
    workers: int = 1,
    limits: Limits | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM, SIGINT or cancellation. The socket (mode 0600) takes pictures at once; those that come
    before the workers are ready wait for them. `on_ready` is called then.

    `data` is the data folder whose models `models.prepare` made. Nothing is kept: neither pictures nor readings.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(number, stopping.set)
    folder = await asyncio.to_thread(models.prepare, data)
    threads = ThreadPoolExecutor(workers, thread_name_prefix="reading")
    starting = asyncio.ensure_future(asyncio.to_thread(Pool, folder, workers, limits or Limits()))
    server = await _listen(socket_path, _Door(starting, threads, workers).serve)
    try:
        await starting
        on_ready()
        await stopping.wait()
    finally:
        server.close()
        await asyncio.to_thread(socket_path.unlink, missing_ok=True)
        if starting.done() and not starting.cancelled() and not starting.exception():
            starting.result().close()
        threads.shutdown(wait=False, cancel_futures=True)


async def _listen(path: Path, serve_one: Callable[..., object]) -> asyncio.Server:
    """Bind beside, then rename: a stale socket of a killed service is replaced, never waited for."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(serve_one, path=str(beside))  # type: ignore[arg-type]
    beside.chmod(0o600)
    beside.rename(path)
    return server


class _Door:
    """Takes requests from connections to the pool."""

    def __init__(self, pool: asyncio.Future[Pool], threads: ThreadPoolExecutor, workers: int) -> None:
        self._pool = pool
        self._threads = threads
        self._room = WAITING + workers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            async with asyncio.timeout(_SLOW_SENDER):
                content = await frames.receive(reader)
            await frames.write(writer, await self._answer(content))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            pass  # a client that went away or speaks another language gets nothing
        finally:
            writer.close()

    async def _answer(self, content: bytes) -> bytes:
        try:
            formats.glance(frames.request(content).image)
        except formats.UnusableImage as problem:
            details = {key: value for key, value in problem.details.items() if isinstance(value, (str, int))}
            return frames.pack(frames.Answer(code=problem.code, details=details))
        except msgspec.DecodeError:
            return frames.pack(frames.Answer(code=frames.DOWN))
        if self._room <= 0:
            return frames.pack(frames.Answer(code=frames.DOWN))
        self._room -= 1
        try:
            pool = await asyncio.shield(self._pool)
            return await asyncio.get_running_loop().run_in_executor(self._threads, pool.answer, content)
        finally:
            self._room += 1


def main(socket_path: Path, data: Path, workers: int = 1, memory_mb: int = 450) -> None:
    """Run the service in this process; prints `ocr ready` on standard output when it takes pictures."""
    asyncio.run(
        serve(socket_path, data, workers, Limits(memory_mb=memory_mb), lambda: print("ocr ready", flush=True))  # noqa: T201 - the supervisor waits for this line
    )
