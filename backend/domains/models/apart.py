"""Work on what came from outside, in a process of its own with a limit of time and memory (trust.md §1 no 9).

Drawing a report and training need libraries no server loads; trying out a graph means running what somebody sent.
None may take a serving process down, so each is `python -m MODULE` with one message in and one out.
"""

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable

from backend.core.errors import Unavailable

SECONDS = 180
MEMORY = 3 * 1024**3
"""Bytes of address space, most of which is never touched: graphs and fonts are mapped."""


class ApartFailed(Unavailable):
    code = "model_apart_failed"
    message = "这份文件这会儿处理不完，什么都没有改动，请稍后再试"


MOST_AT_ONCE = 2
_running: list[str] = []
_STEP = b"step "
_PR_SET_PDEATHSIG = 1


async def run(
    module: str, message: bytes, *, seconds: int = SECONDS, hear: Callable[[str], None] | None = None
) -> bytes:
    """What the module writes to its standard output; `hear` is told what it says of its steps. Raises `ApartFailed`,
    also when `MOST_AT_ONCE` are under way."""
    if len(_running) >= MOST_AT_ONCE:
        raise ApartFailed()
    _running.append(module)
    try:
        return await _run(module, message, seconds, hear)
    finally:
        _running.remove(module)


async def _run(module: str, message: bytes, seconds: int, hear: Callable[[str], None] | None) -> bytes:
    quiet = {
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "MPLBACKEND": "Agg",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **quiet},
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            answer, _, _ = await asyncio.gather(
                _given(process, message), _heard(process.stderr, hear), process.wait()
            )
    except TimeoutError as cause:
        raise ApartFailed() from cause
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ApartFailed()
    return answer


async def _given(process: asyncio.subprocess.Process, message: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died: its return code says so
        process.stdin.write(message)
        await process.stdin.drain()
        process.stdin.close()
    return await process.stdout.read()


async def _heard(stream: asyncio.StreamReader | None, hear: Callable[[str], None] | None) -> None:
    """Steps alone: whatever else a library writes there may hold a person's data, and goes nowhere."""
    assert stream is not None
    rest = b""
    while block := await stream.read(65_536):
        *lines, rest = (rest + block).split(b"\n")
        rest = rest[-1000:]
        for line in lines:
            if hear is not None and line.startswith(_STEP):
                hear(line.removeprefix(_STEP).decode(errors="replace")[:100])


def tell(step: str) -> None:
    """Called by the module: what it does now, for whoever hears."""
    sys.stderr.buffer.write(_STEP + step.replace("\n", " ").encode() + b"\n")
    sys.stderr.buffer.flush()


def limited(seconds: int = SECONDS) -> None:
    """Called by the module first. It also ends with the process that started it."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
