"""The pure calculations of large strategies, off the event loop and one at a time a process.

A document of a thousand rows costs seconds of CPU to check. On a thread of its own everybody else's pages go on
meanwhile; with only one such thread, ten people who check at once cost the others no more than one does.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_ONE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="strategies")


async def run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` gives or raises; it touches neither a database nor the outside."""
    return await asyncio.get_running_loop().run_in_executor(_ONE, lambda: work(*args, **kwargs))
