"""What a practice county is made from, its geometry, and the totals it is held to (A10).

Blocks of 480 households carry the region digits of their ID numbers, two villages each; 16 blocks are a town.
ID numbers begin with a prefix no province has (GB/T 2260), so that none can be a real person's.
"""

import re
from datetime import date
from typing import Any

import msgspec
import numpy as np

from backend.sandbox.county.draws import Array, Draws

BLOCK, TOWN_BLOCKS, SLOTS = 480, 16, 8
"""Households per block, blocks per town, and the most persons of a household plus one."""
MOST_HOUSEHOLDS = 9_999 * BLOCK
PREFIXES = ("99", "89", "88", "87", "86", "85", "84")
"""First two digits of ID numbers; no province, no Hong Kong, Macao, Taiwan or foreigner's number has them. One
county each."""
AS_OF = date(2026, 11, 1)
"""The day of every record: fixed, so that a county never changes."""
NAME = re.compile(r"[\w\u4e00-\u9fff-]{1,20}")

# A10-03…A10-05, A10-11…A10-13: amounts in fen, for 1,030,000 households.
HOUSEHOLDS = 1_030_000
GRANTED = 100_300_000_000_00
BALANCE = 99_858_000_000_00
CD_HOUSEHOLDS, CD_LOANS, CD_AMOUNT = 20_900, 35_781, 4_208_000_000_00
LINE_CEILING = 300_000_00  # A10-02
MOST_PER_OFFICER = 1_500  # A10-06


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a county is computed from. `limit_scale` and `idle_share` are set by `calibrate`."""

    name: str
    prefix: str
    households: int
    seed: int
    limit_scale: float = 1.0
    idle_share: float = 0.0

    @property
    def draws(self) -> Draws:
        return Draws(self.seed)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One total against its target scaled to the county's size; amounts are fen."""

    row: str
    name: str
    unit: str
    target: float
    got: float
    allowed: float  # share of the target
    ok: bool


def problem(name: str, households: int) -> str:
    """Why a county cannot be made so; '' when it can."""
    if not NAME.fullmatch(name):
        return "县名要 1 到 20 个汉字、字母、数字"
    if not 1 <= households <= MOST_HOUSEHOLDS:
        return f"户数要在 1 到 {MOST_HOUSEHOLDS:,} 之间"
    return ""


def block_of(households: Array) -> Array:
    found: Array = households // BLOCK
    return found


def town_of(households: Array) -> Array:
    found: Array = households // (BLOCK * TOWN_BLOCKS)
    return found


def village_of(draws: Draws, households: Array) -> Array:
    """Two villages per block, the first of 180 to 300 households."""
    block = block_of(households)
    cut = draws.whole("village cut", block, 180, 300)
    found: Array = block * 2 + (households % BLOCK >= cut)
    return found


_OFFICERS = (
    (1500, 1080, 300),
    (960, 960, 960),
    (720, 720, 720, 720),
    (1440, 720, 420, 300),
    (1200, 1200, 480),
)
"""How 2,880 households (6 blocks) are shared among officers: 300 to 1,500 each (A10-06)."""
_SHARED = 2_880
_PER_GROUP = 4


def officer_of(draws: Draws, households: Array) -> Array:
    """The officer's number; numbers have gaps where a group has fewer than four."""
    group, place = households // _SHARED, households % _SHARED
    pattern = draws.whole("officer pattern", group, 0, len(_OFFICERS) - 1)
    ends = np.array([(*np.cumsum(each), *[_SHARED] * (_PER_GROUP - len(each))) for each in _OFFICERS])
    rank = (place[:, None] >= ends[pattern][:, : _PER_GROUP - 1]).sum(axis=1)
    found: Array = group * _PER_GROUP + rank
    return found


def spread(draws: Draws, field: str, households: Array) -> Array:
    """A household's place in its block after mixing the block: which of them are chosen is random, how many is
    not."""
    block, place = block_of(households), households % BLOCK
    units = np.array([n for n in range(1, BLOCK) if np.gcd(n, BLOCK) == 1])
    step = units[draws.whole(f"{field} step", block, 0, len(units) - 1)]
    start = draws.whole(f"{field} start", block, 0, BLOCK - 1)
    mixed: Array = block * BLOCK + (place * step + start) % BLOCK
    return mixed


def chosen(draws: Draws, field: str, households: Array, share: float) -> Array:
    """True for exactly that share of the households of every full block (to the next whole one)."""
    place = spread(draws, field, households)
    picked: Array = np.floor((place + 1) * share) > np.floor(place * share)
    return picked


def as_record(plan: Plan) -> dict[str, Any]:
    return dict(msgspec.to_builtins(plan))
