"""Fraud rings (N9): 冒名 (impersonation), 垒大户 (stacking), and paid helpers who share a device and a phone.

A block of 480 households has a ring with some probability; its members are households of that block, found
without looking at the others: place = start + step × number.
"""

import msgspec
import numpy as np
import polars as pl

from backend.sandbox.county import plan as plans
from backend.sandbox.county.draws import Array
from backend.sandbox.county.plan import BLOCK, Plan

KINDS = ("impersonation", "stacking", "paid_helper")
SHARE = 0.3
"""Blocks with a ring."""
_STEPS = np.array([n for n in range(7, BLOCK) if np.gcd(n, BLOCK) == 1])
_INVERSE = np.array([pow(int(n), -1, BLOCK) for n in _STEPS])


class Rings(msgspec.Struct, frozen=True, kw_only=True):
    """By household: `ring` is the block's number + 1, 0 for none; `rank` 0 is the one behind it."""

    ring: Array
    kind: Array
    rank: Array
    size: Array


def rings(plan: Plan, households: Array) -> Rings:
    d = plan.draws
    h = households.astype(np.int64)
    block = plans.block_of(h)
    has = d.chance("ring", block, SHARE)
    size = d.whole("ring size", block, 4, 14)
    which = d.whole("ring step", block, 0, len(_STEPS) - 1)
    start = d.whole("ring start", block, 0, BLOCK - 1)
    rank = (h % BLOCK - start) * _INVERSE[which] % BLOCK
    inside = has & (rank < size)
    return Rings(
        ring=np.where(inside, block + 1, 0),
        kind=d.whole("ring kind", block, 0, len(KINDS) - 1),
        rank=np.where(inside, rank, 0),
        size=np.where(inside, size, 0),
    )


def contacts(plan: Plan, households: Array, found: Rings, phones: pl.Series, village: Array) -> pl.DataFrame:
    """What the graph of relations joins people by. Rings share: helpers device and phone, stackers payee and
    address, impersonators device and payee. A few honest neighbours share a device too."""
    d, h = plan.draws, households.astype(np.int64)
    ring = found.ring > 0
    neighbour = d.chance("borrowed device", h, 0.01)
    device = np.where(ring & (found.kind != 1), 3_000_000_000 + found.ring, 1_000_000_000 + h)
    device = np.where(neighbour & ~ring, 2_000_000_000 + village, device)
    payee = np.where(ring & (found.kind != 2), 3_000_000_000 + found.ring, 1_000_000_000 + h)
    place = np.where(ring & (found.kind == 1), 3_000_000_000 + found.ring, 1_000_000_000 + h)
    shared = pl.Series(np.where(ring & (found.kind == 2), found.ring, 0)).cast(pl.String).str.zfill(8)
    frame = pl.DataFrame(
        {
            "household": h, "device": device, "phone": phones, "payee": payee, "place": place,
            "shared": "101" + shared, "helper": ring & (found.kind == 2),
        }
    )  # fmt: skip
    mark = [(pl.lit(word) + pl.col(name).cast(pl.String)).alias(name) for name, word in _MARKS.items()]
    return frame.select(
        "household",
        pl.when("helper").then("shared").otherwise("phone").alias("phone"),
        *mark,
        (pl.lit(f"oPractice{plan.prefix}") + pl.col("household").cast(pl.String)).alias("openid"),
    )


_MARKS = {"device": "DV", "payee": "AC", "place": "AD"}
