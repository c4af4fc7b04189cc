"""Work on what came from outside, in a process of its own with a limit of time and memory (trust.md §1 no 9).

Drawing a report needs libraries no server loads; trying out a graph means running what somebody sent. Neither may
take a serving process down, so both are `python -m MODULE` with one message in and one out.
"""

import asyncio
import os
import resource
import sys

from backend.core.errors import Unavailable

SECONDS = 180
MEMORY = 3 * 1024**3
"""Bytes of address space, most of which is never touched: graphs and fonts are mapped."""


class ApartFailed(Unavailable):
    code = "model_apart_failed"
    message = "这份文件这会儿处理不完，什么都没有改动，请稍后再试"


MOST_AT_ONCE = 2
_running: list[str] = []


async def run(module: str, message: bytes) -> bytes:
    """What the module writes to its standard output. Raises `ApartFailed`, also when `MOST_AT_ONCE` are under way."""
    if len(_running) >= MOST_AT_ONCE:
        raise ApartFailed()
    _running.append(module)
    try:
        return await _run(module, message)
    finally:
        _running.remove(module)


async def _run(module: str, message: bytes) -> bytes:
    quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **quiet},
    )  # fmt: skip
    try:
        answer, _ = await asyncio.wait_for(process.communicate(message), SECONDS)
    except TimeoutError as cause:
        raise ApartFailed() from cause
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ApartFailed()
    return answer


def limited() -> None:
    """Called by the module first."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
