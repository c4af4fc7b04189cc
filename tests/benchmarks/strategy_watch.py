"""One process that decides again and again, as a web worker or a worker does, and says when a version took over.

Started by `bench_strategies` with the database's data directory in the environment. Each line on stdout: what it saw
(`row`: the bare row, `decided`: a decision made by it), the document's hash, and the monotonic clock in nanoseconds.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec

from backend import wiring
from backend.core.actor import system
from backend.domains.decision import model
from backend.domains.decision import service as decisions
from backend.settings import load

_CASE = Path(__file__).parents[1] / "data" / "cases" / "approved_payroll.json"
_PAUSE = 0.005
COUNTY, STAGE = "4101", "eligibility"


async def watch() -> None:
    """Until stdin closes."""
    case = msgspec.json.decode(_CASE.read_bytes(), type=model.Case)
    db = wiring.database(load(os.environ), size=2)
    await db.open()
    seen: dict[str, str] = {}

    def tell(kind: str, digest: str) -> None:
        if seen.get(kind) != digest:
            seen[kind] = digest
            sys.stdout.write(f"{kind} {digest} {time.monotonic_ns()}\n")
            sys.stdout.flush()

    while True:
        async with db.read(system(COUNTY, "watch")) as tx:
            row = await tx.connection.fetchval(
                "select hash from decision.live where institution_id = '*' and product_code = '*' and stage = $1",
                STAGE,
            )
            tell("row", str(row))
            using = await decisions.bundle_for(tx, case.product)
        decided = await asyncio.to_thread(decisions.decide, case, using)
        tell("decided", decided.decision.versions.strategies[STAGE])
        await asyncio.sleep(_PAUSE)


if __name__ == "__main__":
    asyncio.run(watch())
