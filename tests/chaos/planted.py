"""`python -m tests.chaos.planted up …`: the product with something planted into its workers, for tests only.

`PLANTED` names what: `quick` shortens leases so that a sweep over many deaths ends in minutes; the `kill`,
`block` and `stumble` kinds of effect do to their worker what their name says.
"""

import asyncio
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

from backend import __main__ as command_line
from backend.commands import parts
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect


def _quick() -> None:
    effects.LEASE = timedelta(seconds=3)
    effects.LOST_FOR = timedelta()


def _kinds() -> None:
    from backend.jobs import handlers

    async def kill(_: Context, __: Effect) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    async def block(context: Context, effect: Effect) -> None:
        """Holds the event loop for longer than the lease: the queue sees no heartbeat, the lease is not kept."""
        _note(context, f"block {effect.attempts} {os.getpid()}")
        time.sleep(effects.LEASE.total_seconds() * 4)  # noqa: ASYNC251 - this is the mistake

    async def wait(context: Context, effect: Effect) -> None:
        _note(context, f"wait {effect.attempts} {os.getpid()}")
        await asyncio.sleep(effects.LEASE.total_seconds() * 2.5)

    async def note(context: Context, effect: Effect) -> None:
        _note(context, f"note {effect.key}")

    handlers.HANDLERS |= {"test.kill": kill, "test.block": block, "test.wait": wait, "test.note": note}


def _stumble() -> None:
    """The first delivery of every process fails in a way nobody foresaw: the queue holds the job back."""
    from backend.jobs import worker

    deliver = worker.deliver
    stumbled: list[bool] = []

    async def once(context: Context, institution_id: str, effect_id: str) -> str:
        if not stumbled:
            stumbled.append(True)
            raise RuntimeError("planted")
        return await deliver(context, institution_id, effect_id)

    worker.deliver = once


def _note(context: Context, line: str) -> None:
    with Path(context.settings.data, "planted.log").open("a") as file:
        file.write(line + "\n")


PLANTS = {"quick": _quick, "kinds": _kinds, "stumble": _stumble}


def main() -> int:
    for name in filter(None, os.environ.get("PLANTED", "").split(",")):
        PLANTS[name]()
    parts.WORKER = (parts.PYTHON, "-m", "tests.chaos.planted", "worker")
    return command_line.main()


if __name__ == "__main__":
    sys.exit(main())
